DELETE FROM sessions
WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 ORDER BY id DESC OFFSET $2)
