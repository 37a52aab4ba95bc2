SELECT key, hostname FROM servers WHERE key = ANY($1::integer[])
