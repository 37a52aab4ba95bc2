-- Several nodes may report the same server; the latest time stays. Answers the servers that are gone.
WITH seen AS (
    SELECT * FROM unnest($1::int[], $2::timestamptz[]) AS seen (server, at)
), written AS (
    UPDATE servers SET last_seen = seen.at
    FROM seen
    WHERE servers.key = seen.server AND (servers.last_seen IS NULL OR servers.last_seen < seen.at)
)
SELECT server AS key FROM seen WHERE NOT EXISTS (SELECT FROM servers WHERE servers.key = seen.server)
