-- As series_find, but only the numbers, and all of them.
-- Null parameters do not filter. $1 servers, $2 types, $3 names, $4 labels, $5 how many, $6 the reach.
SELECT series.id
FROM series JOIN servers ON servers.key = series.server
WHERE ($1::uuid[] IS NULL OR servers.id = ANY ($1))
  AND ($2::text[] IS NULL OR metric_type = ANY ($2))
  AND ($3::text[] IS NULL OR metric_name = ANY ($3))
  AND ($4::jsonb IS NULL OR series.labels @> $4)
  AND within_reach(servers.owner, servers.id, servers.labels, $6::jsonb)
LIMIT $5
