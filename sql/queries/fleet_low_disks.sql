-- Volumes of the latest snapshots of active hosts with less than $1 percent free, the fullest first. $2 the kind of a
-- snapshot, $3 the reach, $4 how many.
SELECT servers.id, hostname, volume ->> 'mount' AS mount, (volume ->> 'free_pct')::float8 AS free_pct,
    (volume ->> 'free_bytes')::float8 AS free_bytes, (volume ->> 'total_bytes')::float8 AS total_bytes
FROM servers
    LEFT JOIN agents ON agents.server = servers.key
    CROSS JOIN LATERAL (
        SELECT body FROM documents WHERE documents.server = servers.key AND kind = $2
        ORDER BY documents.id DESC LIMIT 1) AS snapshot
    CROSS JOIN LATERAL json_array_elements(snapshot.body #> '{disk,volumes}') AS volume
WHERE servers.owner IS NULL AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
    AND coalesce(agents.is_active, true) AND (volume ->> 'free_pct')::float8 < $1
ORDER BY free_pct, hostname, mount
LIMIT $4
