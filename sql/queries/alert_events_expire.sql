DELETE FROM alert_events WHERE id IN (SELECT id FROM alert_events WHERE at < $1 ORDER BY at LIMIT $2)
