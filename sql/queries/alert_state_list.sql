-- How rules stand with series of servers within reach, by rule and series. $1 the reach; null parameters do not filter:
-- $2 rules, $3 servers, $4 severities, $5 phases; $6, $7 only those after this rule and series; $8 how many.
SELECT states.rule, states.series, states.phase, states.since, states.value, states.fired_at, states.told_at,
    states.acknowledged_by, states.updated_at, rules.name AS rule_name, rules.owner,
    coalesce(rules.definition ->> 'severity', 'warning') AS severity,
    states.server, servers.id AS server_id, servers.hostname,
    series.metric_type, series.metric_name, series.labels
FROM alert_states AS states
JOIN alert_rules AS rules ON rules.id = states.rule
JOIN servers ON servers.key = states.server
LEFT JOIN series ON series.id = states.series
WHERE within_reach(rules.owner, NULL, NULL, $1::jsonb - 'servers' - 'labels')
  AND within_reach(servers.owner, servers.id, servers.labels, $1::jsonb)
  AND ($2::bigint[] IS NULL OR states.rule = ANY ($2))
  AND ($3::uuid[] IS NULL OR servers.id = ANY ($3))
  AND ($4::text[] IS NULL OR coalesce(rules.definition ->> 'severity', 'warning') = ANY ($4))
  AND ($5::text[] IS NULL OR states.phase = ANY ($5))
  AND (states.rule, states.series) > ($6::bigint, $7::integer)
ORDER BY states.rule, states.series
LIMIT $8
