-- $1 server, $2 how many, $3 the reach.
SELECT cron_jobs.id, servers.id AS server_id, name, schedule, command, cron_jobs.created_at
FROM cron_jobs JOIN servers ON servers.key = cron_jobs.server
WHERE servers.id = $1 AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
ORDER BY cron_jobs.created_at, cron_jobs.id
LIMIT $2
