SELECT count(*) AS firing FROM alert_states
JOIN alert_rules ON alert_rules.id = alert_states.rule AND alert_rules.of_agent IS NULL
WHERE phase IN ('firing', 'acknowledged')
