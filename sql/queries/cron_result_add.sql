INSERT INTO cron_results (job, success, duration_ms, output, ran_at) VALUES ($1, $2, $3, $4, $5) RETURNING id
