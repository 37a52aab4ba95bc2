-- Removes rule $2 of person $1, if it is about reports of an agent within reach $3.
DELETE FROM alert_rules
USING agents JOIN servers ON servers.key = agents.server
WHERE alert_rules.id = $2 AND alert_rules.owner = $1 AND agents.id = of_agent
    AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
RETURNING alert_rules.name
