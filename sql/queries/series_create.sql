-- Adds the series that are not there yet. Those that another process is adding right now are waited for and skipped;
-- everyone adds in the same order, so that nobody waits in a circle. Numbers are given in the order in which the series
-- were named: agents name them in one order for ever, so what they send is sorted by number as it comes.
WITH new AS MATERIALIZED (
    SELECT nextval('series_id_seq') AS id, server, metric_type, metric_name, labels, identity
    FROM (
        SELECT server, metric_type, metric_name, labels, identity
        FROM unnest($1::int[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[]) WITH ORDINALITY
            AS named (server, metric_type, metric_name, labels, identity, place)
        WHERE NOT EXISTS (SELECT FROM series WHERE series.server = named.server AND series.identity = named.identity)
          AND EXISTS (SELECT FROM servers WHERE servers.key = named.server)
        ORDER BY place
    ) AS absent
)
INSERT INTO series (id, server, metric_type, metric_name, labels, identity) OVERRIDING SYSTEM VALUE
SELECT id, server, metric_type, metric_name, labels, identity FROM new
ORDER BY server, identity
ON CONFLICT (server, identity) DO NOTHING
