-- $1 job, $2 how many, $3 the reach.
SELECT cron_results.id, success, duration_ms, output, ran_at
FROM cron_results
WHERE job = $1 AND EXISTS (
    SELECT FROM cron_jobs JOIN servers ON servers.key = cron_jobs.server
    WHERE cron_jobs.id = $1 AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb))
ORDER BY cron_results.id DESC
LIMIT $2
