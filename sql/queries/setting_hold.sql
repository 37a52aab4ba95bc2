SELECT value, version, updated_at FROM settings WHERE key = $1 FOR UPDATE
