INSERT INTO alert_notices (recipient, channel, event, body, created_at, due_at)
SELECT alert_recipients.id, said.channel::json, said.event, said.body::json, $5, $5
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[]) WITH ORDINALITY
    AS said (recipient, channel, event, body, place)
LEFT JOIN alert_recipients ON alert_recipients.id = said.recipient AND alert_recipients.enabled
WHERE alert_recipients.id IS NOT NULL OR said.channel IS NOT NULL
ORDER BY said.place
