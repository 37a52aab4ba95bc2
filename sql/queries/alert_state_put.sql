INSERT INTO alert_states
    (rule, series, server, phase, since, judged_until, value, fired_at, told_at, acknowledged_by, flips, updated_at)
SELECT found.rule, found.series, found.server, found.phase, found.since, found.judged_until, found.value,
    found.fired_at, found.told_at, found.acknowledged_by, found.flips, $12
FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::timestamptz[], $6::timestamptz[],
    $7::double precision[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::json[])
    AS found (rule, series, server, phase, since, judged_until, value, fired_at, told_at, acknowledged_by, flips)
JOIN alert_rules ON alert_rules.id = found.rule
JOIN servers ON servers.key = found.server
-- Somebody may have said that they know of it since whoever judges last looked: that stays while it goes on firing.
ON CONFLICT (rule, series) DO UPDATE SET
    phase = CASE WHEN alert_states.phase = 'acknowledged' AND excluded.phase = 'firing'
            AND alert_states.fired_at IS NOT DISTINCT FROM excluded.fired_at
        THEN alert_states.phase ELSE excluded.phase END,
    since = excluded.since,
    judged_until = excluded.judged_until,
    value = excluded.value,
    fired_at = excluded.fired_at,
    told_at = excluded.told_at,
    acknowledged_by = CASE WHEN alert_states.phase = 'acknowledged' AND excluded.phase = 'firing'
            AND alert_states.fired_at IS NOT DISTINCT FROM excluded.fired_at
        THEN alert_states.acknowledged_by ELSE excluded.acknowledged_by END,
    flips = excluded.flips,
    version = alert_states.version + 1,
    updated_at = excluded.updated_at
