INSERT INTO invites (hash, role, created_by, created_at, expires_at, sets_up)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id
