-- As server_upsert, of a server of the fleet that is there already. $1 to $9 as there, $10 the reach.
UPDATE servers SET
    ip_address = $2, os = $3, cpu_model = $4, total_ram = $5, kernel_version = $6, uptime = $7, labels = $8,
    agent_version = $9, updated_at = now()
WHERE hostname = $1 AND owner IS NULL AND within_reach(owner, id, labels, $10::jsonb)
RETURNING key, id, owner, belonging, hostname, ip_address, os, cpu_model, total_ram, kernel_version, uptime, labels,
    agent_version, last_seen, created_at, updated_at
