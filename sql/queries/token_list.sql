-- Tokens that people made for programs and that were not revoked: all of them, or those of one person.
SELECT id, created_by, name, rights, servers, labels, created_at, expires_at, last_used, last_address
FROM tokens
WHERE agent IS NULL AND revoked_at IS NULL AND ($1::bigint IS NULL OR created_by = $1) AND id > $2
ORDER BY id
LIMIT $3
