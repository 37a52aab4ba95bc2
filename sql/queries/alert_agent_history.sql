-- What rules about reports found for person $1, newest first, within reach $2. $3 the system that says so, $4 the agent
-- and $5 the metric, where they are not null; $6 how many after $7.
SELECT alert_events.id, at, rule, alert_events.value, details
FROM alert_events JOIN servers ON servers.key = alert_events.server
WHERE alert_events.owner = $1 AND details ->> 'system' = $3
    AND within_reach(servers.owner, servers.id, servers.labels, $2::jsonb)
    AND ($4::text IS NULL OR details ->> 'agent_id' = $4)
    AND ($5::text IS NULL OR details ->> 'metric_type' = $5)
ORDER BY alert_events.id DESC
LIMIT $6 OFFSET $7
