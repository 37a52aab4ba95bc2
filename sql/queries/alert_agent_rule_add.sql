-- A rule about an agent's reports; none when its owner has $6 of them already.
INSERT INTO alert_rules (owner, of_agent, name, definition, enabled, created_by, created_at, updated_at)
SELECT $1, $2, $3, $4::text::json, $5, $1, $7, $7
WHERE (SELECT count(*) FROM alert_rules WHERE owner = $1 AND of_agent IS NOT NULL) < $6
RETURNING id
