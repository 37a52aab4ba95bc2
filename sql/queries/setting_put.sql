INSERT INTO settings (key, value, updated_at, updated_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE
SET value = excluded.value, version = settings.version + 1,
    updated_at = excluded.updated_at, updated_by = excluded.updated_by
RETURNING version
