-- Null parameters do not filter. $1 the id, $2 the reach.
SELECT key, id, owner, belonging, hostname, ip_address, os, cpu_model, total_ram, kernel_version, uptime, labels,
    agent_version, last_seen, created_at, updated_at
FROM servers
WHERE ($1::uuid IS NULL OR id = $1) AND within_reach(owner, id, labels, $2::jsonb)
ORDER BY hostname, key
