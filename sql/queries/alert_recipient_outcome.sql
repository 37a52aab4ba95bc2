-- How a test went: $2 when, $3 why it did not arrive.
UPDATE alert_recipients
SET last_success = CASE WHEN $3::text IS NULL THEN $2 ELSE last_success END,
    last_failure = CASE WHEN $3::text IS NULL THEN last_failure ELSE $2 END,
    last_error = coalesce($3, last_error)
WHERE id = $1
