-- $5: how many jobs a server may have. $6 the reach.
INSERT INTO cron_jobs (server, name, schedule, command)
SELECT key, $2, $3, $4 FROM servers
WHERE id = $1 AND within_reach(owner, id, labels, $6::jsonb)
  AND (SELECT count(*) FROM cron_jobs WHERE server = key) < $5
RETURNING id, created_at
