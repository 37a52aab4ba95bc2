-- How many alerts a pack has found on servers that are there.
SELECT coalesce(sum(found), 0)::bigint AS total FROM alert_reports WHERE pack = $1
