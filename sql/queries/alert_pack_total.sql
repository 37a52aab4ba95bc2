-- How often a pack found that something began or ended, $3 at most. $1 the pack, $2 the reach.
SELECT count(*) AS total FROM (
    SELECT FROM alert_events JOIN servers ON servers.key = alert_events.server
    WHERE pack = $1 AND change IN ('firing', 'resolved')
        AND within_reach(servers.owner, servers.id, servers.labels, $2::jsonb)
    LIMIT $3) AS found
