-- Of a person's own tokens, or of all.
UPDATE tokens SET revoked_at = $3
WHERE id = $1 AND agent IS NULL AND revoked_at IS NULL AND ($2::bigint IS NULL OR created_by = $2)
RETURNING name
