-- Newest first. Null parameters do not filter. $1 servers; $2 from, $3 to, both included; $4 sources, $5 levels; $6 a
-- pattern; $7, $8 only those before this time and id; $9 how many; $10 the reach.
SELECT logs.id, servers.id AS server_id, at, source AS kind, level AS severity,
    message AS text, NULL::jsonb AS attributes
FROM logs JOIN servers ON servers.key = logs.server
WHERE ($1::uuid[] IS NULL OR servers.id = ANY ($1))
  AND at BETWEEN $2 AND $3
  AND ($4::text[] IS NULL OR source = ANY ($4))
  AND ($5::text[] IS NULL OR level = ANY ($5))
  AND ($6::text IS NULL OR message ILIKE $6)
  AND (at, logs.id) < ($7::timestamptz, $8::bigint)
  AND within_reach(servers.owner, servers.id, servers.labels, $10::jsonb)
ORDER BY at DESC, logs.id DESC
LIMIT $9
