INSERT INTO port_results (port_check, success, latency_ms, error, checked_at) VALUES ($1, $2, $3, $4, $5) RETURNING id
