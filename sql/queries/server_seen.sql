-- Several nodes may report the same server; the latest time stays. Rows are locked in one order by all of them.
WITH seen AS (
    SELECT * FROM unnest($1::int[], $2::timestamptz[]) AS seen (server, at)
), locked AS MATERIALIZED (
    SELECT key FROM servers WHERE key IN (SELECT server FROM seen) ORDER BY key FOR NO KEY UPDATE
)
UPDATE servers SET last_seen = seen.at
FROM seen JOIN locked ON locked.key = seen.server
WHERE servers.key = seen.server AND (servers.last_seen IS NULL OR servers.last_seen < seen.at)
