-- Adds a server under a given id, or finds the one that has its hostname, or its id. Nothing when someone else is just
-- adding it. $1 id, $2 hostname.
WITH added AS (
    INSERT INTO servers (id, hostname, ip_address) VALUES ($1, $2, '0.0.0.0')
    ON CONFLICT DO NOTHING
    RETURNING id, key, owner, labels, belonging)
SELECT id, key, owner, labels, belonging, true AS is_new FROM added
UNION ALL
(SELECT id, key, owner, labels, belonging, false FROM servers
 WHERE (hostname = $2 AND owner IS NULL) OR id = $1
 ORDER BY hostname = $2 AND owner IS NULL DESC LIMIT 1)
LIMIT 1
