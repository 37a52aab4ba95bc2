-- Recipients by number. $1 the fleet's, $2 this person's, $3 everybody's; $4 one of them, or all where null; $5 only
-- numbers above this, $6 how many.
SELECT id, owner, name, kind, target, enabled, is_own_telegram, created_at, updated_at, last_success,
    last_failure, last_error
FROM alert_recipients
WHERE ($3 OR ($1 AND owner IS NULL) OR owner = $2) AND ($4::bigint IS NULL OR id = $4) AND id > $5
ORDER BY id
LIMIT $6
