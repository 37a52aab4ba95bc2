INSERT INTO nodes (version) VALUES ($1) RETURNING id, token
