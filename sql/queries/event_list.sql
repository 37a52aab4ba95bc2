-- Newest first. Null parameters do not filter. $1 servers; $2 from, $3 to, both included; $4 kinds, $5 severitys; $6 a
-- pattern; $7, $8 only those before this time and id; $9 how many; $10 the reach.
SELECT events.id, servers.id AS server_id, at, kind AS kind, severity AS severity,
    title AS text, attributes AS attributes
FROM events JOIN servers ON servers.key = events.server
WHERE ($1::uuid[] IS NULL OR servers.id = ANY ($1))
  AND at BETWEEN $2 AND $3
  AND ($4::text[] IS NULL OR kind = ANY ($4))
  AND ($5::text[] IS NULL OR severity = ANY ($5))
  AND ($6::text IS NULL OR title ILIKE $6)
  AND (at, events.id) < ($7::timestamptz, $8::bigint)
  AND within_reach(servers.owner, servers.id, servers.labels, $10::jsonb)
ORDER BY at DESC, events.id DESC
LIMIT $9
