-- Who is logged in where, by the latest snapshots of active hosts. $1 what the user name has somewhere in it, $2 the kind
-- of a snapshot, $3 the reach, $4 how many.
SELECT DISTINCT person ->> 'username' AS username, servers.id, hostname
FROM servers
    LEFT JOIN agents ON agents.server = servers.key
    CROSS JOIN LATERAL (
        SELECT body FROM documents WHERE documents.server = servers.key AND kind = $2
        ORDER BY documents.id DESC LIMIT 1) AS snapshot
    CROSS JOIN LATERAL json_array_elements(snapshot.body #> '{users,logged_in}') AS person
WHERE servers.owner IS NULL AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
    AND coalesce(agents.is_active, true) AND person ->> 'username' ILIKE $1
ORDER BY username, hostname
LIMIT $4
