-- What people have said that they know of, the latest first.
SELECT rule, series, acknowledged_by FROM alert_states
WHERE phase = 'acknowledged' AND series <> 0
ORDER BY updated_at DESC
LIMIT $1
