INSERT INTO users (username, email, password_hash, role, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT DO NOTHING
RETURNING id, username, email, password_hash, role, is_active, created_at, updated_at, last_login
