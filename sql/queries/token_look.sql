-- The revision of what tokens are worth, and those with hashes $1 with all they are judged by: one row at least. One
-- statement sees one state of everything.
SELECT revision, tokens.id, hash, rights, tokens.servers, tokens.labels, expires_at, activated_at, revoked_at, created_by,
    agents.id AS agent, agents.name, agents.is_active AS agent_is_active, agents.owner, server.id AS server,
    users.role, users.is_active AS maker_is_active
FROM auth_revision
LEFT JOIN tokens ON hash = ANY ($1)
LEFT JOIN agents ON agents.id = tokens.agent
LEFT JOIN LATERAL (SELECT id FROM servers WHERE key = agents.server) AS server ON true
LEFT JOIN users ON users.id = coalesce(agents.owner, tokens.created_by)
