-- Notices, the newest first. $1 the fleet's, $2 this person's, $3 everybody's; null parameters do not filter: $4 only of
-- this recipient, $5 only in this state; $6 only numbers below this, $7 how many.
SELECT alert_notices.id, recipient, alert_recipients.name AS recipient_name,
    coalesce(alert_recipients.kind, channel ->> 'kind') AS kind, alert_recipients.owner, event, body,
    alert_notices.created_at, due_at, attempts, state, finished_at, alert_notices.last_error
FROM alert_notices LEFT JOIN alert_recipients ON alert_recipients.id = alert_notices.recipient
WHERE ($3 OR ($1 AND alert_recipients.owner IS NULL) OR alert_recipients.owner = $2)
  AND ($4::bigint IS NULL OR recipient = $4)
  AND ($5::text IS NULL OR state = $5)
  AND alert_notices.id < $6
ORDER BY alert_notices.id DESC
LIMIT $7
