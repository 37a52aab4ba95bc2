-- Up to $4 entries from before $1, the oldest first: those of the fleet if $2, those of the person $3, everybody's if $5.
DELETE FROM alert_events WHERE id IN (
    SELECT id FROM alert_events
    WHERE at < $1 AND ($5 OR ($2 AND owner IS NULL) OR owner = $3)
    ORDER BY at LIMIT $4)
