INSERT INTO cron_jobs (server, name, schedule, command)
SELECT key, $2, $3, $4 FROM servers WHERE id = $1
RETURNING id, created_at
