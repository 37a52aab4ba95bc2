INSERT INTO audit (at, actor, user_id, action, subject, details, address) VALUES ($1, $2, $3, $4, $5, $6, $7)
