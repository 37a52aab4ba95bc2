-- None when its owner has $9 already.
INSERT INTO alert_rules (owner, servers, labels, name, definition, enabled, created_by, created_at, updated_at)
SELECT $1, $2, $3, $4, $5::text::json, $6, $7, $8, $8
WHERE (SELECT count(*) FROM alert_rules WHERE owner IS NOT DISTINCT FROM $1 AND of_agent IS NULL) < $9
RETURNING id
