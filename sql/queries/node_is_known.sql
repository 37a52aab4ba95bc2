SELECT EXISTS (SELECT FROM nodes WHERE id = $1 AND token = $2) AS is_known
