DELETE FROM sessions WHERE hash = $1 RETURNING user_id
