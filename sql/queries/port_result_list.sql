SELECT id, success, latency_ms, error, checked_at FROM port_results WHERE port_check = $1 ORDER BY id DESC LIMIT $2
