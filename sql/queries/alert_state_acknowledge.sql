-- Only what fires can be acknowledged.
UPDATE alert_states SET phase = 'acknowledged', acknowledged_by = $3, version = version + 1, updated_at = $4
WHERE rule = $1 AND series = $2 AND phase = 'firing'
