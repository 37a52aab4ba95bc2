UPDATE users SET password_hash = $2, role = $3, is_active = $4, updated_at = $5 WHERE id = $1
RETURNING id, username, email, password_hash, role, is_active, created_at, updated_at, last_login
