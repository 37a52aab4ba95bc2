-- Several nodes may report the same server; the latest time stays.
UPDATE servers SET last_seen = seen.at
FROM unnest($1::int[], $2::timestamptz[]) AS seen (server, at)
WHERE servers.key = seen.server AND (servers.last_seen IS NULL OR servers.last_seen < seen.at)
