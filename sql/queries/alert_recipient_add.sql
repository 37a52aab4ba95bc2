-- None when its owner has $7.
INSERT INTO alert_recipients (owner, name, kind, target, enabled, created_at, updated_at)
SELECT $1, $2, $3, $4::text::json, $5, $6, $6
WHERE (SELECT count(*) FROM alert_recipients WHERE owner IS NOT DISTINCT FROM $1) < $7
RETURNING id
