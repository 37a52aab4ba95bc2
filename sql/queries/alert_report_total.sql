-- How many alerts a pack has ever found on servers that are there. $1 the pack, $2 the reach.
SELECT coalesce(sum(alert_reports.found), 0)::bigint AS total
FROM alert_reports JOIN servers ON servers.key = alert_reports.server
WHERE alert_reports.pack = $1 AND within_reach(servers.owner, servers.id, servers.labels, $2::jsonb)
