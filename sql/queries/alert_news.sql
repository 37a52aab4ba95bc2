-- What happened: numbers above $1, and those of $2, which were not to be seen before; $3 how many.
SELECT alert_events.id, at, alert_events.rule, alert_rules.name AS rule_name, pack, servers.id AS server_id,
    servers.hostname, change, severity, title, sample_time, value, details
FROM alert_events
LEFT JOIN servers ON servers.key = alert_events.server
LEFT JOIN alert_rules ON alert_rules.id = alert_events.rule
WHERE alert_events.id > $1 OR alert_events.id = ANY ($2)
ORDER BY alert_events.id
LIMIT $3
