-- Another token for an agent, or an endpoint when the owner is null; the one before is good for nothing from now on.
UPDATE tokens SET hash = $3, created_at = $4, expires_at = $5, activated_at = NULL, revoked_at = NULL, last_used = NULL,
    last_address = NULL
FROM agents
WHERE agents.id = $1 AND agents.owner IS NOT DISTINCT FROM $2 AND tokens.agent = agents.id
RETURNING agents.name
