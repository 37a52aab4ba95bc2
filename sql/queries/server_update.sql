-- A null parameter leaves its column as it is; labels are told apart by $9. $11 the reach.
UPDATE servers SET
    ip_address = coalesce($2, ip_address), os = coalesce($3, os), cpu_model = coalesce($4, cpu_model),
    total_ram = coalesce($5, total_ram), kernel_version = coalesce($6, kernel_version),
    uptime = coalesce($7, uptime), agent_version = coalesce($8, agent_version),
    labels = CASE WHEN $9 THEN $10 ELSE labels END, updated_at = now()
WHERE id = $1 AND within_reach(owner, id, labels, $11::jsonb)
RETURNING key, id, owner, belonging, hostname, ip_address, os, cpu_model, total_ram, kernel_version, uptime, labels,
    agent_version, last_seen, created_at, updated_at
