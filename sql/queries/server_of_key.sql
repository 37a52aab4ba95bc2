SELECT id FROM servers WHERE key = $1
