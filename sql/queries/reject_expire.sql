DELETE FROM rejects WHERE id IN (SELECT id FROM rejects WHERE at < $1 ORDER BY at LIMIT $2)
