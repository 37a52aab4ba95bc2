INSERT INTO alert_events
    (at, owner, rule, pack, server, series, change, severity, title, sample_time, value, details)
SELECT found.at, found.owner, alert_rules.id, found.pack, servers.key, found.series, found.change, found.severity,
    found.title, found.sample_time, found.value, found.details::json
FROM unnest($1::timestamptz[], $2::bigint[], $3::bigint[], $4::text[], $5::integer[], $6::integer[], $7::text[],
    $8::text[], $9::text[], $10::timestamptz[], $11::double precision[], $12::text[])
    WITH ORDINALITY
    AS found (at, owner, rule, pack, server, series, change, severity, title, sample_time, value, details, place)
LEFT JOIN alert_rules ON alert_rules.id = found.rule
LEFT JOIN servers ON servers.key = found.server
ORDER BY found.place
RETURNING id
