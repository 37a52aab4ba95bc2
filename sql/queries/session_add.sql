INSERT INTO sessions (hash, user_id, created_at, expires_at, last_used, address, user_agent)
VALUES ($1, $2, $3, $4, $3, $5, $6)
