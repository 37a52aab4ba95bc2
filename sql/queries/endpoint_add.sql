-- An agent of the fleet with its token: of the server with its host name, or of a new one. Nothing when there are $5
-- servers.
WITH known AS (
    SELECT key FROM servers WHERE hostname = $1 AND owner IS NULL
), added AS (
    INSERT INTO servers (hostname, ip_address)
    SELECT $1, '0.0.0.0' WHERE NOT EXISTS (SELECT FROM known) AND (SELECT count(*) FROM servers) < $5
    RETURNING key
), agent AS (
    INSERT INTO agents (server, name, machine_id, created_at)
    SELECT key, $1, $2, $3 FROM (SELECT key FROM known UNION ALL SELECT key FROM added) AS server
    RETURNING id
), token AS (
    INSERT INTO tokens (hash, agent, name, rights, created_at) SELECT $4, id, $1, '{ingest}', $3 FROM agent
)
SELECT id, EXISTS (SELECT FROM added) AS is_new FROM agent
