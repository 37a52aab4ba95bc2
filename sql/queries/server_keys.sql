SELECT key, id FROM servers WHERE id = ANY ($1)
