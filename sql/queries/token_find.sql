-- A token that is good, with its agent or its maker. $1 its hash, $2 the time.
SELECT tokens.id, tokens.rights, tokens.servers, tokens.labels, agents.id AS agent, agents.name, agents.owner,
    servers.id AS server, makers.id AS maker, makers.role
FROM tokens
LEFT JOIN agents ON agents.id = tokens.agent
LEFT JOIN servers ON servers.key = agents.server
LEFT JOIN users AS owners ON owners.id = agents.owner
LEFT JOIN users AS makers ON makers.id = tokens.created_by
WHERE tokens.hash = $1 AND revoked_at IS NULL
  AND (expires_at IS NULL OR activated_at IS NOT NULL OR expires_at > $2)
  AND (tokens.agent IS NULL OR (agents.is_active AND coalesce(owners.is_active, true)))
  AND (tokens.created_by IS NULL OR makers.is_active)
