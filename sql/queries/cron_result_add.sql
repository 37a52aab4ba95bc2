-- Nothing when there is no such job within reach. $1 job, $2 to $5 the run, $6 the reach.
INSERT INTO cron_results (job, success, duration_ms, output, ran_at)
SELECT cron_jobs.id, $2, $3, $4, $5
FROM cron_jobs JOIN servers ON servers.key = cron_jobs.server
WHERE cron_jobs.id = $1 AND within_reach(servers.owner, servers.id, servers.labels, $6::jsonb)
RETURNING id
