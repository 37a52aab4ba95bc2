-- $3 what is kept, $4 how many more alerts there were. Answers whose server it is.
UPDATE alert_reports SET active = $3::text::json, found = found + $4
FROM servers
WHERE servers.key = alert_reports.server AND alert_reports.server = $1 AND pack = $2
RETURNING owner
