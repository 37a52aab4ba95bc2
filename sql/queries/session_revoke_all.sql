DELETE FROM sessions WHERE user_id = $1 AND hash IS DISTINCT FROM $2
