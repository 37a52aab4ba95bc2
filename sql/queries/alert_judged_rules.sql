SELECT id, owner, servers, labels, name, definition, version, updated_at FROM alert_rules WHERE id = ANY($1::bigint[])
