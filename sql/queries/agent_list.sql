-- Agents of a person, or endpoints when $1 is null: the one with number $2, or those above $3, perhaps only active ones.
SELECT agents.id, agents.name, machine_id, agents.is_active, interval_seconds, agents.created_at, servers.id AS server,
    greatest(servers.last_seen, last_used) AS last_seen, expires_at, activated_at
FROM agents
JOIN servers ON servers.key = agents.server
LEFT JOIN tokens ON tokens.agent = agents.id
WHERE agents.owner IS NOT DISTINCT FROM $1 AND ($2::int IS NULL OR agents.id = $2) AND agents.id > $3
    AND (agents.is_active OR NOT $4)
ORDER BY agents.id
LIMIT $5
