SELECT sessions.id AS session_id, last_used,
    users.id, username, email, password_hash, role, is_active, users.created_at, updated_at, last_login
FROM sessions JOIN users ON users.id = user_id
WHERE hash = $1 AND expires_at > $2 AND is_active
