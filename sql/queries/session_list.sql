SELECT id, hash, created_at, expires_at, last_used, address, user_agent
FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY id DESC LIMIT $3
