-- Hosts of the fleet with their latest snapshot: active endpoints, and servers that sent snapshots without being one.
-- A host's number is its endpoint's, or else its server's, where no agent has that number.
-- $1 what host name or machine id have somewhere in them (null: anything), $2 the kind of a snapshot, $3 the reach,
-- $4 only the one with this number or id (null: all), $5 how many.
SELECT coalesce(agents.id, CASE WHEN numbered.id IS NULL THEN servers.key END) AS number, servers.id, hostname,
    coalesce(agents.machine_id, snapshot.body #>> '{host,machine_id}', '') AS machine_id, agents.interval_seconds,
    greatest(servers.last_seen, tokens.last_used) AS last_seen, snapshot.taken_at,
    (snapshot.body #>> '{cpu,utilization_pct}')::float8 AS cpu, (snapshot.body #>> '{memory,used_pct}')::float8 AS memory
FROM servers
    LEFT JOIN agents ON agents.server = servers.key
    LEFT JOIN tokens ON tokens.agent = agents.id
    LEFT JOIN agents AS numbered ON numbered.id = servers.key
    LEFT JOIN LATERAL (
        SELECT taken_at, body FROM documents WHERE documents.server = servers.key AND kind = $2
        ORDER BY documents.id DESC LIMIT 1) AS snapshot ON true
WHERE servers.owner IS NULL AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
    AND coalesce(agents.is_active, snapshot.body IS NOT NULL)
    AND ($1::text IS NULL OR hostname ILIKE $1
        OR coalesce(agents.machine_id, snapshot.body #>> '{host,machine_id}') ILIKE $1)
    AND ($4::text IS NULL OR servers.id::text = $4
        OR coalesce(agents.id, CASE WHEN numbered.id IS NULL THEN servers.key END)::text = $4)
ORDER BY hostname, servers.key
LIMIT $5
