SELECT key, id, hostname, ip_address, os, cpu_model, total_ram, kernel_version, uptime, labels, agent_version,
    last_seen, created_at, updated_at
FROM servers
WHERE $1::uuid IS NULL OR id = $1
ORDER BY hostname
