-- What is kept of an endpoint's latest snapshot. $1 its server, $2 the pack, $3 what is kept.
INSERT INTO alert_reports (server, pack, active) VALUES ($1, $2, $3::text::json)
ON CONFLICT (server, pack) DO UPDATE SET active = excluded.active
