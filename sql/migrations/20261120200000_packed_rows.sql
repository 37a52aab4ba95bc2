-- A row of samples becomes a few columns and one that is packed, which takes about forty bytes less an hour of a series.
-- Everything stored is written anew, so the server is not there before that is done, and nodes of the version before
-- can only take samples in from then on: they cannot fold, seal or read until they are replaced.

DO $$
DECLARE
    old record;
BEGIN
    FOR old IN
        SELECT relname, CASE WHEN relkind IN ('i', 'I') THEN 'INDEX' ELSE 'TABLE' END AS kind
        FROM (SELECT relid FROM pg_partition_tree('samples') UNION SELECT relid FROM pg_partition_tree('recent')) AS tree
        JOIN pg_class ON oid = relid OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = relid)
    LOOP
        EXECUTE format('ALTER %s %I RENAME TO %I', old.kind, old.relname, 'old_' || old.relname);
    END LOOP;
END
$$;

-- Only what is the same wherever it is computed is in here, so that it can be part of an index and costs no call.
CREATE FUNCTION samples_reach(start timestamptz, seconds smallint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT least(
    date_bin(interval '1 hour', start AT TIME ZONE 'UTC', timestamp '0001-01-01') + interval '3599.999999 seconds',
    start AT TIME ZONE 'UTC' + seconds * interval '1 second'
) AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION samples_reach(timestamptz, smallint) IS 'A time that no sample of a packed row is after, without unpacking it: less than a second after the last one, and always within their hour (UTC).';

CREATE TABLE samples (
    start timestamptz NOT NULL,
    series integer NOT NULL,
    count smallint NOT NULL,
    seconds smallint NOT NULL,
    packed bytea NOT NULL,
    PRIMARY KEY (series, start) WITH (fillfactor = 100)
) PARTITION BY RANGE (start);
ALTER TABLE samples ALTER COLUMN packed SET STORAGE EXTERNAL;
-- Pages of everything, hour by hour, and where the next hour with samples is. By hours, because equal entries share
-- one: an entry for each start would take three times as much.
CREATE INDEX samples_hour ON samples (date_bin('1 hour', start, timestamptz '0001-01-01 00:00:00Z')) WITH (fillfactor = 100);
COMMENT ON TABLE samples IS 'Every sample that is not in recent or the journal. A row holds samples of one series within one hour (UTC), in order of time; rows of a series do not overlap. By month of start.';
COMMENT ON COLUMN samples.start IS 'The time of the first sample.';
COMMENT ON COLUMN samples.series IS 'The series.';
COMMENT ON COLUMN samples.count IS 'How many samples the row holds.';
COMMENT ON COLUMN samples.seconds IS 'From the first sample to the last, rounded up.';
COMMENT ON COLUMN samples.packed IS 'The other times, and the values; see unpack_samples.';

CREATE TABLE recent (
    start timestamptz NOT NULL,
    fold bigint NOT NULL,
    series integer NOT NULL,
    count smallint NOT NULL,
    seconds smallint NOT NULL,
    slot smallint NOT NULL,
    packed bytea NOT NULL
) PARTITION BY LIST (slot);
ALTER TABLE recent ALTER COLUMN packed SET STORAGE EXTERNAL;
CREATE TABLE recent_0 PARTITION OF recent FOR VALUES IN (0) WITH (toast_tuple_target = 8160);
CREATE TABLE recent_1 PARTITION OF recent FOR VALUES IN (1) WITH (toast_tuple_target = 8160);
CREATE TABLE recent_2 PARTITION OF recent FOR VALUES IN (2) WITH (toast_tuple_target = 8160);
CREATE TABLE recent_3 PARTITION OF recent FOR VALUES IN (3) WITH (toast_tuple_target = 8160);
CREATE INDEX recent_series ON recent (series, start);
-- Pages of everything: the parts that reach latest first.
CREATE INDEX recent_reach ON recent (samples_reach(start, seconds));
COMMENT ON TABLE recent IS 'Parts: samples that have left the journal, packed like a row of samples, before their hour is sealed. A ring: by the hour of the fold, emptied whole. Of two samples with the same series and time the one of the later fold wins.';
COMMENT ON COLUMN recent.start IS 'See samples.start. A row holds samples of one hour (UTC) only.';
COMMENT ON COLUMN recent.fold IS 'Counts folds; see progress.';
COMMENT ON COLUMN recent.series IS 'The series.';
COMMENT ON COLUMN recent.count IS 'How many samples the row holds.';
COMMENT ON COLUMN recent.seconds IS 'See samples.seconds.';
COMMENT ON COLUMN recent.slot IS 'Which part of the ring the row is in.';
COMMENT ON COLUMN recent.packed IS 'See samples.packed.';

CREATE FUNCTION wrapped_sum(one bigint, other bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE
    WHEN one >= 0 AND other > 9223372036854775807 - one THEN (one::numeric + other - 18446744073709551616)::bigint
    WHEN one < 0 AND other < -9223372036854775808 - one THEN (one::numeric + other + 18446744073709551616)::bigint
    ELSE one + other
END
$$;
COMMENT ON FUNCTION wrapped_sum(bigint, bigint) IS 'The sum of two integers, of which only the lowest 64 bits count.';

CREATE FUNCTION ordered_float(place bigint) RETURNS double precision LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    bits CONSTANT bigint := CASE WHEN place < 0 THEN place # 9223372036854775807 ELSE place END;
    exponent CONSTANT integer := bits >> 52 & 2047;
    fraction CONSTANT bigint := bits & 4503599627370495;
    size CONSTANT double precision := CASE
        WHEN exponent = 2047 AND fraction > 0 THEN double precision 'NaN'
        WHEN exponent = 2047 THEN 'Infinity'
        WHEN exponent = 0 THEN fraction * double precision '5e-324'
        ELSE (fraction + 4503599627370496) * double precision '2' ^ (exponent - 1075)
    END;
BEGIN
    RETURN CASE WHEN place < 0 THEN -size ELSE size END;
END
$$;
COMMENT ON FUNCTION ordered_float(bigint) IS 'The float that is at a place among all floats in their order, zero being at 0, the next larger one at 1, and so on: what its bits are as an integer, those of negative ones inverted but for the sign.';

CREATE FUNCTION read_integer(packed bytea, INOUT place integer, OUT read bigint)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    byte integer;
    shift integer := 0;
BEGIN
    read := 0;
    LOOP
        byte := get_byte(packed, place);
        read := read | ((byte & 127)::bigint << shift);
        place := place + 1;
        EXIT WHEN byte < 128;
        shift := shift + 7;
    END LOOP;
END
$$;
COMMENT ON FUNCTION read_integer(bytea, integer) IS 'The integer that begins at a byte, and where it ends: seven bits a byte, least significant first, until a byte is less than 128.';

CREATE FUNCTION unfold(folded bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT folded >> 1 & 9223372036854775807 # -(folded & 1)
$$;
COMMENT ON FUNCTION unfold(bigint) IS 'An integer with a sign, from one without: 0, 1, 2, 3, 4 are 0, -1, 1, -2, 2.';

CREATE FUNCTION read_column(packed bytea, count integer, INOUT place integer, OUT integers bigint[])
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    width CONSTANT integer := get_byte(packed, place) & 127;
    has_exceptions CONSTANT boolean := get_byte(packed, place) > 127;
    place_width CONSTANT integer := length(ltrim((count - 1)::bit(32)::text, '0'));
    exceptions integer := 0;
    distance_width integer;
    base bigint;
    bits bit varying;
    distances bit varying;
    exception integer;
BEGIN
    SELECT unfold(read), found.place INTO base, place FROM read_integer(packed, place + 1) AS found;
    IF has_exceptions THEN
        SELECT read, found.place INTO exceptions, place FROM read_integer(packed, place) AS found;
        distance_width := get_byte(packed, place);
        place := place + 1;
    END IF;
    bits := ('x' || encode(substring(packed FROM place + 1 FOR (count * width + 7) / 8), 'hex'))::bit varying;
    place := place + (count * width + 7) / 8;
    integers := ARRAY(
        SELECT CASE WHEN width = 0 THEN base ELSE wrapped_sum(base, packed_integer(bits, number, width)) END
        FROM generate_series(0, count - 1) AS number);
    IF has_exceptions THEN
        bits := ('x' || encode(substring(packed FROM place + 1 FOR (exceptions * place_width + 7) / 8), 'hex'))::bit varying;
        place := place + (exceptions * place_width + 7) / 8;
        distances := ('x' || encode(substring(packed FROM place + 1 FOR (exceptions * distance_width + 7) / 8), 'hex'))::bit varying;
        place := place + (exceptions * distance_width + 7) / 8;
        FOR number IN 0 .. exceptions - 1 LOOP
            exception := packed_integer(bits, number, place_width);
            integers[exception + 1] := wrapped_sum(base, unfold(packed_integer(distances, number, distance_width)));
        END LOOP;
    END IF;
END
$$;
COMMENT ON FUNCTION read_column(bytea, integer, integer) IS 'The integers of a column that begins at a byte and has so many of them, and where it ends.';

CREATE FUNCTION unpack_samples(start timestamptz, count integer, packed bytea)
    RETURNS TABLE ("time" timestamptz, value double precision) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 360 AS $$
DECLARE
    -- Large rows are stored apart: joining nothing to them fetches them once, not once an integer.
    bytes CONSTANT bytea := packed || ''::bytea;
    head CONSTANT integer := get_byte(packed, 0);
    times CONSTANT integer := head >> 5;
    has_steps CONSTANT boolean := head & 16 <> 0;
    -- None when the integers are floats.
    power CONSTANT double precision := power_of_ten(head & 15);
    place integer := 1;
    unit bigint;
    step bigint := 0;
    moves bigint[];
    amount bigint;
    integers bigint[];
BEGIN
    IF count > 1 THEN
        SELECT read, found.place INTO unit, place FROM read_integer(bytes, place) AS found;
        IF unit & 3 = 3 THEN
            SELECT read, found.place INTO unit, place FROM read_integer(bytes, place) AS found;
        ELSE
            unit := (unit >> 2) * ('{1, 1000, 1000000}'::bigint[])[1 + (unit & 3)];
        END IF;
        IF times = 2 THEN
            SELECT read, found.place INTO step, place FROM read_integer(bytes, place) AS found;
        END IF;
        IF times > 0 THEN
            SELECT found.integers, found.place INTO moves, place FROM read_column(bytes, count - 1, place) AS found;
        END IF;
    END IF;
    IF has_steps THEN
        SELECT unfold(read), found.place INTO amount, place FROM read_integer(bytes, place) AS found;
    END IF;
    SELECT found.integers INTO integers FROM read_column(bytes, count - has_steps::integer, place) AS found;
    "time" := start;
    FOR number IN 0 .. count - 1 LOOP
        IF number > 0 AND times = 2 THEN
            "time" := start + (number * step + moves[number]) * unit * interval '1 microsecond';
        ELSIF number > 0 THEN
            "time" := "time" + coalesce(moves[number], 1) * unit * interval '1 microsecond';
        END IF;
        IF NOT has_steps THEN
            amount := integers[number + 1];
        ELSIF number > 0 THEN
            amount := wrapped_sum(amount, integers[number]);
        END IF;
        value := CASE WHEN power IS NULL THEN ordered_float(amount) ELSE amount / power END;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION unpack_samples(timestamptz, integer, bytea) IS 'The samples of a row of samples or recent, in order of time. Times and values are those that were sent, bit for bit but for the bits of a NaN.';

CREATE OR REPLACE FUNCTION series_samples(series integer, "from" timestamptz, "to" timestamptz)
    RETURNS TABLE ("time" timestamptz, value double precision) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS $$
SELECT DISTINCT ON (met."time") met."time", met.value
FROM (
    SELECT unpacked."time", unpacked.value, stored.fold
    FROM recent AS stored, unpack_samples(stored.start, stored.count, stored.packed) AS unpacked
    WHERE stored.series = $1 AND stored.start BETWEEN bucket_start($2, '1 hour') AND $3
    UNION ALL
    SELECT unpacked."time", unpacked.value, -1
    FROM samples AS stored, unpack_samples(stored.start, stored.count, stored.packed) AS unpacked
    WHERE stored.series = $1 AND stored.start BETWEEN bucket_start($2, '1 hour') AND $3
) AS met
WHERE met."time" BETWEEN $2 AND $3
ORDER BY met."time", met.fold DESC
$$;

-- From here on: the old rows as new ones. These functions are not needed afterwards.
CREATE FUNCTION pg_temp.integer_bytes(left_over numeric) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    bytes bytea := '';
BEGIN
    WHILE left_over >= 128 LOOP
        bytes := bytes || set_byte('\x00', 0, 128 + (left_over % 128)::integer);
        left_over := div(left_over, 128);
    END LOOP;
    RETURN bytes || set_byte('\x00', 0, left_over::integer);
END
$$;

CREATE FUNCTION pg_temp.folded_bytes(signed numeric) RETURNS bytea LANGUAGE sql AS $$
SELECT pg_temp.integer_bytes(CASE WHEN signed < 0 THEN -2 * signed - 1 ELSE 2 * signed END)
$$;

CREATE FUNCTION pg_temp.column_bytes(base bigint, bits bit varying, count integer) RETURNS bytea LANGUAGE sql AS $$
SELECT set_byte('\x00', 0, coalesce(length(bits) / nullif(count, 0), 0)) || pg_temp.folded_bytes(base)
    || coalesce(substring(varbit_send(bits) FROM 5), '')
$$;

CREATE FUNCTION pg_temp.unit_bytes(unit bigint) RETURNS bytea LANGUAGE sql AS $$
SELECT CASE
    WHEN unit % 1000000 = 0 THEN pg_temp.integer_bytes(unit / 1000000 * 4 + 2)
    WHEN unit % 1000 = 0 THEN pg_temp.integer_bytes(unit / 1000 * 4 + 1)
    ELSE pg_temp.integer_bytes(unit::numeric * 4)
END
$$;

-- Integers of another width, each multiplied.
CREATE FUNCTION pg_temp.multiplied(bits bit varying, count integer, factor bigint) RETURNS bit varying LANGUAGE sql AS $$
SELECT string_agg(right((packed_integer(bits, number, length(bits) / count) * factor)::bit(64)::text, width), ''
    ORDER BY number)::bit varying
FROM generate_series(0, count - 1) AS number, (
    SELECT length(ltrim(max(packed_integer(bits, one, length(bits) / count) * factor)::bit(64)::text, '0')) AS width
    FROM generate_series(0, count - 1) AS one) AS widest
$$;

CREATE FUNCTION pg_temp.float_bits(floats double precision[]) RETURNS bit varying LANGUAGE sql AS $$
SELECT string_agg(CASE WHEN get_bit(bits, 0) = 1 THEN ~bits ELSE set_bit(bits, 0, 1) END::text, '' ORDER BY number)::bit varying
FROM unnest(floats) WITH ORDINALITY AS listed (value, number), LATERAL (
    SELECT ('x' || encode(float8send(value), 'hex'))::bit(64) AS bits) AS same
$$;

CREATE FUNCTION pg_temp.packed(
    count integer, time_step bigint, time_unit bigint, times bit varying, value_scale integer, value_base bigint,
    value_step bigint, value_is_steps boolean, integers bit varying, floats double precision[]
) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    unit CONSTANT bigint := CASE WHEN times IS NULL THEN time_step ELSE gcd(time_step, time_unit) END;
    time_bytes bytea := '';
    value_bytes bytea;
    head integer := CASE WHEN floats IS NULL THEN value_scale + 16 * value_is_steps::integer ELSE 15 END;
BEGIN
    IF count > 1 THEN
        time_bytes := pg_temp.unit_bytes(unit);
    END IF;
    IF times IS NOT NULL THEN
        head := head + 32;
        time_bytes := time_bytes || pg_temp.column_bytes(time_step / unit, CASE WHEN time_unit = unit THEN times
            ELSE pg_temp.multiplied(times, count - 1, time_unit / unit) END, count - 1);
    END IF;
    IF floats IS NOT NULL THEN
        value_bytes := pg_temp.column_bytes(-9223372036854775808, pg_temp.float_bits(floats), count);
    ELSIF value_is_steps THEN
        value_bytes := pg_temp.folded_bytes(value_base) || pg_temp.column_bytes(value_step, integers, count - 1);
    ELSE
        value_bytes := pg_temp.column_bytes(value_base, integers, count);
    END IF;
    RETURN set_byte('\x00', 0, head) || time_bytes || value_bytes;
END
$$;

-- What old rows were, by the functions that are to go.
CREATE FUNCTION pg_temp.seconds(
    start timestamptz, count integer, time_step bigint, time_unit bigint, times bit varying
) RETURNS smallint LANGUAGE sql AS $$
SELECT least(32767, ceil((time_step::numeric * (count - 1) + CASE WHEN times IS NULL THEN 0 ELSE time_unit * (
    SELECT sum(packed_integer(times, number, length(times) / (count - 1))) FROM generate_series(0, count - 2) AS number) END
    ) / 1000000))::smallint
$$;

DO $$
DECLARE
    old record;
BEGIN
    FOR old IN SELECT relname FROM pg_partition_tree('old_samples') JOIN pg_class ON oid = relid WHERE isleaf AND level > 0 LOOP
        PERFORM make_month('samples', to_date(right(old.relname, 7), 'YYYY_MM')::timestamp AT TIME ZONE 'UTC');
        EXECUTE format('INSERT INTO samples (start, series, count, seconds, packed)
            SELECT start, series, count, pg_temp.seconds(start, count, time_step, time_unit, times), pg_temp.packed(count, time_step,
                time_unit, times, value_scale, value_base, value_step, value_is_steps, integers, floats)
            FROM %I', old.relname);
    END LOOP;
    INSERT INTO recent (start, fold, series, count, seconds, slot, packed)
    SELECT start, fold, series, count, pg_temp.seconds(start, count, time_step, time_unit, times), slot,
        pg_temp.packed(count, time_step, time_unit, times, value_scale, value_base, value_step, value_is_steps, integers, floats)
    FROM old_recent;
    -- Who could read them can go on.
    FOR old IN
        SELECT privilege_type, substring(relname FROM 5) AS name,
            CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS role
        FROM pg_class, aclexplode(relacl)
        WHERE oid IN ('old_samples'::regclass, 'old_recent'::regclass) AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT %s ON %I TO %s', old.privilege_type, old.name, old.role);
    END LOOP;
END
$$;

DROP TABLE old_samples, old_recent;
DROP FUNCTION samples_reach(timestamptz, bigint, integer, smallint, bit varying);
DROP FUNCTION unpack_samples(timestamptz, integer, bigint, integer, bit varying, integer, bigint, bigint, boolean, bit varying, double precision[]);
DROP FUNCTION pg_temp.seconds(timestamptz, integer, bigint, bigint, bit varying);
DROP FUNCTION pg_temp.packed(integer, bigint, bigint, bit varying, integer, bigint, bigint, boolean, bit varying, double precision[]);
DROP FUNCTION pg_temp.float_bits(double precision[]);
DROP FUNCTION pg_temp.multiplied(bit varying, integer, bigint);
DROP FUNCTION pg_temp.unit_bytes(bigint);
DROP FUNCTION pg_temp.column_bytes(bigint, bit varying, integer);
DROP FUNCTION pg_temp.folded_bytes(numeric);
DROP FUNCTION pg_temp.integer_bytes(numeric);
