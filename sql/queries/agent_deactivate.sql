UPDATE agents SET is_active = false WHERE id = $1 AND owner = $2 RETURNING name
