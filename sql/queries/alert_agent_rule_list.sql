-- The rules of person $1 about reports of agents within reach $2, by number.
SELECT alert_rules.id, alert_rules.owner, of_agent, definition, enabled, alert_rules.created_at
FROM alert_rules
JOIN agents ON agents.id = of_agent
JOIN servers ON servers.key = agents.server
WHERE alert_rules.owner = $1 AND within_reach(servers.owner, servers.id, servers.labels, $2::jsonb)
ORDER BY alert_rules.id
LIMIT $3
