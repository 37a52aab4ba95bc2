SELECT id, success, duration_ms, output, ran_at FROM cron_results WHERE job = $1 ORDER BY id DESC LIMIT $2
