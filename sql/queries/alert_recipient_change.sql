UPDATE alert_recipients SET name = $2, kind = $3, target = $4::text::json, enabled = $5, updated_at = $6 WHERE id = $1
