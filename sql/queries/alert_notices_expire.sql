DELETE FROM alert_notices WHERE id IN (
    SELECT id FROM alert_notices WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)
