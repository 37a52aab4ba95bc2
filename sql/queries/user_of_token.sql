SELECT id, username, email, password_hash, role, is_active, created_at, updated_at, last_login
FROM users
WHERE (username = $1 OR email = $2) AND is_active AND ($3::bigint IS NULL OR id = $3)
  AND ($4::uuid IS NULL
       OR EXISTS (SELECT FROM refresh_tokens WHERE family = $4 AND user_id = users.id AND revoked_at IS NULL))
