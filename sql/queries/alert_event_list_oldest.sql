-- What happened within reach, oldest first. $1 the reach; null parameters do not filter: $2 rules, $3 servers,
-- $4 severities, $5 changes, $6 packs; $7 from, $8 to, both included; $9, $10 only what is after this time and number;
-- $11 how many.
SELECT events.id, events.at, events.owner, events.rule, rules.name AS rule_name, events.pack, servers.id AS server_id,
    servers.hostname, events.series, events.change, events.severity, events.title, events.sample_time, events.value,
    events.details
FROM alert_events AS events
LEFT JOIN servers ON servers.key = events.server
LEFT JOIN alert_rules AS rules ON rules.id = events.rule
WHERE within_reach(events.owner, NULL, NULL, $1::jsonb - 'servers' - 'labels')
  AND CASE WHEN events.server IS NULL THEN coalesce($1::jsonb -> 'servers', $1::jsonb -> 'labels') IS NULL
    ELSE within_reach(servers.owner, servers.id, servers.labels, $1::jsonb) END
  AND ($2::bigint[] IS NULL OR events.rule = ANY ($2))
  AND ($3::uuid[] IS NULL OR servers.id = ANY ($3))
  AND ($4::text[] IS NULL OR events.severity = ANY ($4))
  AND ($5::text[] IS NULL OR events.change = ANY ($5))
  AND ($6::text[] IS NULL OR events.pack = ANY ($6))
  AND events.at BETWEEN $7 AND $8
  AND (events.at, events.id) > ($9::timestamptz, $10::bigint)
ORDER BY events.at, events.id
LIMIT $11
