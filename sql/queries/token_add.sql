-- A token that a person made for a program; none when they have $9 already.
INSERT INTO tokens (hash, created_by, name, rights, servers, labels, created_at, expires_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8
WHERE (SELECT count(*) FROM tokens
    WHERE created_by IS NOT DISTINCT FROM $2 AND agent IS NULL AND revoked_at IS NULL) < $9
RETURNING id
