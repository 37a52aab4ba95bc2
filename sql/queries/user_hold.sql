SELECT id, username, email, password_hash, role, is_active, created_at, updated_at, last_login
FROM users WHERE id = $1 FOR NO KEY UPDATE
