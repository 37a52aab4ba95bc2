-- Months: what stands in the way of making one is told from what passes by itself, and one that has expired is taken
-- away in steps that can be resumed.
CREATE FUNCTION month_table(parent text, moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT parent || to_char(moment AT TIME ZONE 'UTC', '_YYYY_MM')
$$;
COMMENT ON FUNCTION month_table(text, timestamptz) IS 'The name of the table for the month (UTC) of a moment.';

CREATE VIEW months AS
SELECT named.parent, named.name,
    (to_date(named.month, 'YYYY_MM')::timestamp AT TIME ZONE 'UTC') AS month,
    coalesce(NOT inhdetachpending, false) AS is_part,
    coalesce(inhdetachpending, false) AS is_leaving,
    coalesce(obj_description(named.oid, 'pg_class') LIKE 'Expired%', false) AS is_expired
FROM (
    SELECT oid, relname::text AS name, left(relname, -8) AS parent,
        substring(relname FROM '_([0-9]{4}_(?:0[1-9]|1[0-2]))$') AS month
    FROM pg_class
    WHERE relkind = 'r' AND pg_table_is_visible(oid)
) AS named
JOIN pg_partitioned_table ON partrelid = to_regclass(quote_ident(named.parent)) AND partstrat = 'r'
LEFT JOIN pg_inherits ON inhrelid = named.oid AND inhparent = partrelid
WHERE named.month IS NOT NULL;
COMMENT ON VIEW months IS 'The tables by month, one row each, also those that are no part of theirs any more.';
COMMENT ON COLUMN months.parent IS 'The table that is kept by month.';
COMMENT ON COLUMN months.name IS 'The table of the month.';
COMMENT ON COLUMN months.month IS 'The beginning of the month (UTC).';
COMMENT ON COLUMN months.is_part IS 'Whether it is read and written with the others.';
COMMENT ON COLUMN months.is_leaving IS 'Whether taking it out has begun and not ended.';
COMMENT ON COLUMN months.is_expired IS 'Whether it is to be dropped. One that was taken out by hand is not.';

CREATE OR REPLACE FUNCTION make_month(parent text, moment timestamptz) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '200ms' AS $$
DECLARE
    start timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    child text := month_table(parent, moment);
    there months;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_partitioned_table JOIN pg_class ON oid = partrelid
                   WHERE oid = to_regclass(quote_ident(parent)) AND partstrat = 'r') THEN
        RAISE EXCEPTION 'no table % by month', parent;
    END IF;
    -- Who makes the same month at the same moment waits here, and finds it made.
    PERFORM pg_advisory_xact_lock(1835625581, hashtext(child));
    SELECT * INTO there FROM months WHERE name = child;
    IF there.is_part THEN
        RETURN false;
    ELSIF there.is_expired THEN
        RAISE EXCEPTION 'table % is being dropped', child USING ERRCODE = 'lock_not_available';
    ELSIF to_regclass(quote_ident(child)) IS NOT NULL THEN
        RAISE EXCEPTION 'table % is there but no part of %', child, parent;
    END IF;
    -- Made aside and attached then: that does not wait for those who read and write the parent, nor they for it.
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE) WITH (toast_tuple_target = 8160)',
                   child, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child,
                   start AT TIME ZONE 'UTC', (start + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
END
$$;
COMMENT ON FUNCTION make_month(text, timestamptz) IS 'Makes the table for the month (UTC) of a moment, unless it is there. Answers whether it was made. Gives up when it has to wait.';

CREATE FUNCTION expire_month(parent text, moment timestamptz) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '200ms' AS $$
DECLARE
    child text := month_table(parent, moment);
    there months;
BEGIN
    SELECT * INTO there FROM months WHERE name = child;
    IF there.is_part AND NOT there.is_expired THEN
        EXECUTE format('COMMENT ON TABLE %I IS %L', child, 'Expired: is being dropped.');
    END IF;
    RETURN coalesce(there.is_part, false);
END
$$;
COMMENT ON FUNCTION expire_month(text, timestamptz) IS 'Marks the table for the month (UTC) of a moment to be dropped. Answers whether it is a part of its parent, and so has to be detached.';

CREATE FUNCTION drop_month(parent text, moment timestamptz) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '2s' AS $$
DECLARE
    child text := month_table(parent, moment);
    there months;
BEGIN
    SELECT * INTO there FROM months WHERE name = child;
    IF there.is_part OR NOT coalesce(there.is_expired, false) THEN
        RETURN false;
    END IF;
    IF there.is_leaving THEN
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I FINALIZE', parent, child);
    END IF;
    EXECUTE format('DROP TABLE %I', child);
    RETURN true;
END
$$;
COMMENT ON FUNCTION drop_month(text, timestamptz) IS 'Drops the table for the month (UTC) of a moment when it is marked and detached, or its detaching has begun. Nobody who reads or writes the parent waits for it.';

INSERT INTO progress (name, up_to, runs) VALUES ('keep', '-infinity', 0);
COMMENT ON COLUMN progress.name IS 'fold, seal, day or keep.';
COMMENT ON COLUMN progress.up_to IS 'seal: windows before this have left recent, but for late data. day: rollup_1h holds every day before this. fold: when the last fold was. keep: the last hour in which everything was looked through for what has expired.';
