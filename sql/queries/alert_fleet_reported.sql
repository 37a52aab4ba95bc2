-- What is kept of an endpoint's latest snapshot. $1 its server, $2 the pack, $3 what is kept, $4 its interval.
WITH endpoint AS (
    UPDATE agents SET interval_seconds = $4
    WHERE server = $1 AND owner IS NULL AND interval_seconds IS DISTINCT FROM $4
)
INSERT INTO alert_reports (server, pack, active) VALUES ($1, $2, $3::text::json)
ON CONFLICT (server, pack) DO UPDATE SET active = excluded.active
