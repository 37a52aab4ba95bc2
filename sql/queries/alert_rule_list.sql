-- Rules over samples that are within reach, by number. $1 the reach; null parameters do not filter: $2 one of them, $3
-- enabled or not, $4 a pattern; $5 only numbers above this, $6 how many.
SELECT rules.id, rules.owner, rules.servers, rules.labels, rules.name, rules.definition, rules.enabled, rules.version,
    rules.created_by, rules.created_at, rules.updated_at,
    (SELECT count(*) FROM alert_states WHERE rule = rules.id AND phase = 'pending') AS pending,
    (SELECT count(*) FROM alert_states WHERE rule = rules.id AND phase IN ('firing', 'acknowledged')) AS firing
FROM alert_rules AS rules
WHERE rules.of_agent IS NULL
  AND rule_within_reach(rules.owner, rules.servers, rules.labels, $1::jsonb)
  AND ($2::bigint IS NULL OR rules.id = $2)
  AND ($3::boolean IS NULL OR rules.enabled = $3)
  AND ($4::text IS NULL OR rules.name ILIKE $4)
  AND rules.id > $5
ORDER BY rules.id
LIMIT $6
