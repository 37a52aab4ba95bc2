-- Who may see rules and silences: what is within reach of those who ask.

CREATE FUNCTION rule_within_reach(owner bigint, servers uuid[], labels jsonb, reach jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT reach IS NULL
    OR (within_reach(owner, NULL, NULL, reach - 'servers' - 'labels')
        AND (reach -> 'servers' IS NULL OR to_jsonb(servers) <@ (reach -> 'servers'))
        AND (reach -> 'labels' IS NULL OR labels @> (reach -> 'labels')))
$$;
COMMENT ON FUNCTION rule_within_reach(bigint, uuid[], jsonb, jsonb) IS 'Whether a rule or silence with this owner, these servers (null: all) and these labels reaches no further than a caller. A null reach is everything.';
