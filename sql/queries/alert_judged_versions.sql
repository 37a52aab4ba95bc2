SELECT id, version FROM alert_rules WHERE enabled AND of_agent IS NULL ORDER BY id LIMIT $1
