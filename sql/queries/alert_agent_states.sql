-- How rules about reports stand. Not part of the statement that holds them, which sees what was before it waited.
SELECT rule, server, phase, since, value, fired_at, told_at, acknowledged_by
FROM alert_states
WHERE rule = ANY($1::bigint[]) AND series = 0
