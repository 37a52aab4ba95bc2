-- $5: how many jobs a server may have.
INSERT INTO cron_jobs (server, name, schedule, command)
SELECT key, $2, $3, $4 FROM servers
WHERE id = $1 AND (SELECT count(*) FROM cron_jobs WHERE server = key) < $5
RETURNING id, created_at
