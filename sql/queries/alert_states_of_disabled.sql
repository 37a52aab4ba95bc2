DELETE FROM alert_states USING alert_rules
WHERE alert_rules.id = alert_states.rule AND NOT alert_rules.enabled AND alert_rules.of_agent IS NULL
