-- Removes up to $4 of what rules about reports found for person $1, within reach $2. $3 the system that says so.
DELETE FROM alert_events
WHERE id IN (
    SELECT alert_events.id
    FROM alert_events JOIN servers ON servers.key = alert_events.server
    WHERE alert_events.owner = $1 AND details ->> 'system' = $3
        AND within_reach(servers.owner, servers.id, servers.labels, $2::jsonb)
    ORDER BY alert_events.id
    LIMIT $4)
