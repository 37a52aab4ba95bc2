-- The newest number, and those of the $1 before it that are not there: they may be yet to be committed.
WITH newest AS (SELECT coalesce(max(id), 0) AS id FROM alert_events)
SELECT newest.id AS newest, coalesce(array_agg(missing.id) FILTER (WHERE missing.id IS NOT NULL), '{}') AS missing
FROM newest LEFT JOIN LATERAL (
    SELECT number AS id FROM generate_series(greatest(newest.id - $1::bigint, 1), newest.id) AS number
    WHERE NOT EXISTS (SELECT FROM alert_events WHERE alert_events.id = number)) AS missing ON true
GROUP BY newest.id
