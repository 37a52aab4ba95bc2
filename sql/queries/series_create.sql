-- Adds the series that are not there yet. Those that another process is adding right now are waited for and skipped;
-- everyone adds in the same order, so that nobody waits in a circle.
INSERT INTO series (server, metric_type, metric_name, labels, identity)
SELECT server, metric_type, metric_name, labels, identity
FROM unnest($1::int[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[])
    AS new (server, metric_type, metric_name, labels, identity)
WHERE NOT EXISTS (SELECT FROM series WHERE series.server = new.server AND series.identity = new.identity)
  AND EXISTS (SELECT FROM servers WHERE servers.key = new.server)
ORDER BY server, identity
ON CONFLICT (server, identity) DO NOTHING
