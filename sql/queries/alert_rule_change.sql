UPDATE alert_rules SET name = $2, definition = $3::text::json, enabled = $4, version = version + 1, updated_at = $5
WHERE id = $1
