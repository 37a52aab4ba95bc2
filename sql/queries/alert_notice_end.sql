-- How an attempt went. $1 the notice, $2 which attempt it was, $3 how it stands now, $4 when it is tried next, $5 now,
-- $6 why it did not arrive. Nothing, where somebody else has taken it over meanwhile.
WITH ended AS (
    UPDATE alert_notices
    SET state = $3, due_at = coalesce($4, due_at), claimed_until = NULL, last_error = coalesce($6, last_error),
        finished_at = CASE WHEN $3 = 'waiting' THEN NULL ELSE $5::timestamptz END
    WHERE id = $1 AND attempts = $2 AND state = 'waiting'
    RETURNING recipient
)
UPDATE alert_recipients
SET last_success = CASE WHEN $6::text IS NULL THEN $5 ELSE last_success END,
    last_failure = CASE WHEN $6::text IS NULL THEN last_failure ELSE $5 END,
    last_error = coalesce($6, last_error)
FROM ended WHERE alert_recipients.id = ended.recipient
