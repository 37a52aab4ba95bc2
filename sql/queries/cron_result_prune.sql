-- Keeps the latest $2 runs of a job.
DELETE FROM cron_results
WHERE job = $1 AND id <= (SELECT id FROM cron_results WHERE job = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
