UPDATE sessions SET last_used = $2 WHERE id = $1 AND last_used < $2
