-- The enabled rules about an agent's reports, held until the end of the transaction: its reports take turns.
SELECT alert_rules.id, alert_rules.owner, agents.id AS agent, agents.name AS agent_name, definition
FROM alert_rules JOIN agents ON agents.id = alert_rules.of_agent AND agents.owner = alert_rules.owner
WHERE of_agent = $1 AND alert_rules.enabled
ORDER BY alert_rules.id
FOR NO KEY UPDATE OF alert_rules
