-- Newest first. Null lists do not filter. $1 from, $2 to, both included; $3, $4 only those before this time and id;
-- $5 dialects, $6 codes, $7 servers; who asks: $8 reaches everything, $9 all of the fleet, $10 is this person, $11 the
-- reach; $12 how many. Of a server that is gone only those are told who reach everything.
SELECT rejects.id, at, sender, address, rejects.server, hostname, dialect, item, code, message, raw, raw_bytes
FROM rejects LEFT JOIN servers ON servers.id = rejects.server
WHERE at BETWEEN $1 AND $2
  AND (at, rejects.id) < ($3::timestamptz, $4::bigint)
  AND ($5::text[] IS NULL OR dialect = ANY ($5))
  AND ($6::text[] IS NULL OR code = ANY ($6))
  AND ($7::uuid[] IS NULL OR rejects.server = ANY ($7))
  AND ($8::boolean
    OR rejects.server IS NOT NULL AND servers.key IS NOT NULL
      AND within_reach(servers.owner, servers.id, servers.labels, $11::jsonb)
    OR rejects.server IS NULL AND (of_fleet AND $9::boolean OR person = $10::bigint))
ORDER BY at DESC, rejects.id DESC
LIMIT $12
