-- Null parameters do not filter. $1 servers, $2 types, $3 names, $4 labels, $5 only after this id, $6 how many, $7 the
-- reach.
SELECT series.id, series.server, servers.id AS server_id, metric_type, metric_name, series.labels
FROM series JOIN servers ON servers.key = series.server
WHERE ($1::uuid[] IS NULL OR servers.id = ANY ($1))
  AND ($2::text[] IS NULL OR metric_type = ANY ($2))
  AND ($3::text[] IS NULL OR metric_name = ANY ($3))
  AND ($4::jsonb IS NULL OR series.labels @> $4)
  AND within_reach(servers.owner, servers.id, servers.labels, $7::jsonb)
  AND series.id > $5
ORDER BY series.id
LIMIT $6
