-- An agent of person $1 within reach $3, with its latest report, whose kind is $4. $2 its number.
SELECT agents.name, servers.key, servers.id, body
FROM agents
JOIN servers ON servers.key = agents.server
LEFT JOIN LATERAL (
    SELECT body FROM documents WHERE documents.server = servers.key AND kind = $4 ORDER BY documents.id DESC LIMIT 1
) AS latest ON true
WHERE agents.id = $2 AND agents.owner = $1
    AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
