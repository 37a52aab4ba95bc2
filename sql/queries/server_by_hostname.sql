SELECT key, id, hostname FROM servers WHERE hostname = ANY ($1)
