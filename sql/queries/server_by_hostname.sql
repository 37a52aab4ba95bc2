SELECT key, id, hostname FROM servers WHERE hostname = ANY ($1) AND owner IS NULL
