SELECT id, role, created_by, created_at, expires_at, used_by, used_at
FROM invites ORDER BY id DESC LIMIT $1
