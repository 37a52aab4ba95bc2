UPDATE alert_silences SET comment = $2, matcher = $3::text::json, starts_at = $4, ends_at = $5, weekly = $6::text::json
WHERE id = $1
