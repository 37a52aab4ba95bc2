-- How rules that are judged stand with series, a page after that of rule $1 and series $2.
SELECT alert_states.rule, series, server, phase, since, judged_until, value, fired_at, told_at, acknowledged_by, flips
FROM alert_states
JOIN alert_rules ON alert_rules.id = alert_states.rule AND alert_rules.enabled AND alert_rules.of_agent IS NULL
WHERE (alert_states.rule, series) > ($1::bigint, $2::integer) AND series <> 0
ORDER BY alert_states.rule, series
LIMIT $3
