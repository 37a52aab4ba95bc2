-- The first waiting notice of each line, where it is due and nobody is at it: at most $3 of them, those that are due
-- longest. $1 now, $2 until when they are claimed. The lines are found by leaping from one to the next in the index.
WITH RECURSIVE lines AS (
    (SELECT line FROM alert_notices WHERE state = 'waiting' ORDER BY line LIMIT 1)
    UNION ALL
    SELECT (SELECT following.line FROM alert_notices AS following
        WHERE following.state = 'waiting' AND following.line > lines.line
        ORDER BY following.line LIMIT 1)
    FROM lines WHERE lines.line IS NOT NULL
), heads AS (
    SELECT head.id
    FROM lines CROSS JOIN LATERAL (
        SELECT id, due_at, claimed_until FROM alert_notices
        WHERE state = 'waiting' AND alert_notices.line = lines.line
        ORDER BY id LIMIT 1) AS head
    WHERE head.due_at <= $1 AND (head.claimed_until IS NULL OR head.claimed_until <= $1)
    ORDER BY head.due_at
    LIMIT $3
), free AS (
    SELECT id FROM alert_notices
    WHERE id IN (SELECT id FROM heads) AND state = 'waiting' AND (claimed_until IS NULL OR claimed_until <= $1)
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE alert_notices SET claimed_until = $2, attempts = attempts + 1
    FROM free WHERE alert_notices.id = free.id
    RETURNING alert_notices.id, recipient, channel, body, attempts, created_at
)
SELECT claimed.id, claimed.recipient, coalesce(claimed.channel, alert_recipients.target) AS channel, claimed.body,
    claimed.attempts, claimed.created_at, coalesce(alert_recipients.enabled, true) AS is_enabled
FROM claimed LEFT JOIN alert_recipients ON alert_recipients.id = claimed.recipient
ORDER BY claimed.id
