-- An agent of a person with its server and its token; nothing when the person has had $6, or there are $7 servers.
WITH server AS (
    INSERT INTO servers (hostname, ip_address, owner)
    SELECT $2, '0.0.0.0', $1
    WHERE (SELECT count(*) FROM agents WHERE owner = $1) < $6 AND (SELECT count(*) FROM servers) < $7
    RETURNING key
), agent AS (
    INSERT INTO agents (server, owner, name, created_at) SELECT key, $1, $2, $3 FROM server RETURNING id
), token AS (
    INSERT INTO tokens (hash, agent, name, rights, created_at, expires_at)
    SELECT $4, id, $2, '{ingest}', $3, $5 FROM agent
)
SELECT id FROM agent
