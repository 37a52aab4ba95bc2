-- Registering a known hostname updates it and keeps its id. A row that was just inserted has no xmax.
INSERT INTO servers (hostname, ip_address, os, cpu_model, total_ram, kernel_version, uptime, labels, agent_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (hostname) WHERE owner IS NULL DO UPDATE SET
    ip_address = excluded.ip_address, os = excluded.os, cpu_model = excluded.cpu_model,
    total_ram = excluded.total_ram, kernel_version = excluded.kernel_version, uptime = excluded.uptime,
    labels = excluded.labels, agent_version = excluded.agent_version, updated_at = now()
RETURNING key, id, owner, belonging, hostname, ip_address, os, cpu_model, total_ram, kernel_version, uptime, labels,
    agent_version, last_seen, created_at, updated_at, xmax = 0 AS is_new
