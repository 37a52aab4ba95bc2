-- Silences within reach, by number. $1 the reach; null parameters do not filter: $2 one of them, $3 only those that have
-- not ended by then; $4 only numbers above this, $5 how many.
SELECT id, owner, comment, matcher, starts_at, ends_at, weekly, created_by, created_at
FROM alert_silences
WHERE rule_within_reach(owner,
    (SELECT array_agg(server::uuid) FROM json_array_elements_text(matcher -> 'servers') AS server),
    (matcher ->> 'server_labels')::jsonb, $1::jsonb)
  AND ($2::bigint IS NULL OR id = $2)
  AND ($3::timestamptz IS NULL OR ends_at IS NULL OR ends_at > $3)
  AND id > $4
ORDER BY id
LIMIT $5
