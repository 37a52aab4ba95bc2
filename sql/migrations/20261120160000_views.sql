-- Samples and buckets for plain SQL: functions that take packed rows apart, and views over them. sql/README.md shows
-- how to use them. None of the program's own statements does.

CREATE FUNCTION power_of_ten(exponent integer) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT ('{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12}'::double precision[])[exponent + 1]
$$;
COMMENT ON FUNCTION power_of_ten(integer) IS 'Ten to the power of 0 to 12, exactly; null for others.';

CREATE FUNCTION bucket_start(moment timestamptz, width interval) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT date_bin(width, moment, '0001-01-01 00:00:00+00'::timestamptz)
$$;
COMMENT ON FUNCTION bucket_start(timestamptz, interval) IS 'The beginning of the hour, minute or day that a moment is in, in UTC whatever the time zone of the session is.';

CREATE FUNCTION packed_integer(bits bit varying, place integer, width integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE WHEN bits IS NULL THEN 0 ELSE substring(bits FROM place * width + 1 FOR width)::bigint END
$$;
COMMENT ON FUNCTION packed_integer(bit varying, integer, integer) IS 'One of the integers of a packed column, by its place from zero and the bits each of them takes. Zero when the column is null.';

CREATE FUNCTION unpack_samples(
    start timestamptz, count integer, time_step bigint, time_unit integer, times bit varying, value_scale integer,
    value_base bigint, value_step bigint, value_is_steps boolean, integers bit varying, floats double precision[]
) RETURNS TABLE ("time" timestamptz, value double precision) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 360 AS $$
DECLARE
    -- Large columns are stored apart: joining nothing to them fetches them once, not once an integer.
    time_bits CONSTANT bit varying := times || '';
    time_width CONSTANT integer := length(times) / nullif(count - 1, 0);
    value_bits CONSTANT bit varying := integers || '';
    value_width CONSTANT integer := length(integers) / nullif(count - value_is_steps::integer, 0);
    step CONSTANT interval := time_step * interval '1 microsecond';
    unit CONSTANT interval := time_unit * interval '1 microsecond';
    power CONSTANT double precision := power_of_ten(value_scale);
    amount bigint := value_base;
BEGIN
    "time" := start;
    FOR place IN 0 .. count - 1 LOOP
        IF place > 0 THEN
            "time" := "time" + step;
            IF times IS NOT NULL THEN
                "time" := "time" + packed_integer(time_bits, place - 1, time_width) * unit;
            END IF;
        END IF;
        IF floats IS NOT NULL THEN
            value := floats[place + 1];
        ELSIF NOT value_is_steps THEN
            value := (value_base + packed_integer(value_bits, place, value_width)) / power;
        ELSE
            IF place > 0 THEN
                amount := amount + value_step + packed_integer(value_bits, place - 1, value_width);
            END IF;
            value := amount / power;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION unpack_samples(timestamptz, integer, bigint, integer, bit varying, integer, bigint, bigint, boolean, bit varying, double precision[])
    IS 'The samples of a row of samples or recent, in order of time. Times and values are those that were sent, bit for bit.';

CREATE FUNCTION unpack_buckets(
    start timestamptz, width interval, buckets bit varying, count_base integer, value_scale integer, value_base bigint,
    increase_base bigint, counts bit varying, sums bit varying, mins bit varying, maxs bit varying, firsts bit varying,
    lasts bit varying, increases bit varying, floats double precision[]
) RETURNS TABLE (
    bucket timestamptz, count bigint, sum double precision, min double precision, max double precision,
    first double precision, last double precision, increase double precision
) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 24 AS $$
DECLARE
    entries CONSTANT integer := bit_count(buckets);
    power CONSTANT double precision := power_of_ten(value_scale);
    entry integer := 0;
BEGIN
    FOR place IN 0 .. length(buckets) - 1 LOOP
        CONTINUE WHEN get_bit(buckets, place) = 0;
        bucket := start + place * width;
        count := count_base + packed_integer(counts, entry, length(counts) / entries);
        IF floats IS NULL THEN
            sum := (count * value_base + packed_integer(sums, entry, length(sums) / entries)) / power;
            min := (value_base + packed_integer(mins, entry, length(mins) / entries)) / power;
            max := (value_base + packed_integer(maxs, entry, length(maxs) / entries)) / power;
            first := (value_base + packed_integer(firsts, entry, length(firsts) / entries)) / power;
            last := (value_base + packed_integer(lasts, entry, length(lasts) / entries)) / power;
            increase := (increase_base + packed_integer(increases, entry, length(increases) / entries)) / power;
        ELSE
            sum := floats[entry + 1];
            min := floats[entries + entry + 1];
            max := floats[2 * entries + entry + 1];
            first := floats[3 * entries + entry + 1];
            last := floats[4 * entries + entry + 1];
            increase := floats[5 * entries + entry + 1];
        END IF;
        entry := entry + 1;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION unpack_buckets(timestamptz, interval, bit varying, integer, integer, bigint, bigint, bit varying, bit varying, bit varying, bit varying, bit varying, bit varying, bit varying, double precision[])
    IS 'The buckets of a row of rollup_1m (width one minute) or rollup_1h (width one hour), in order of time.';

CREATE FUNCTION add_floats(one double precision, other double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE
    WHEN abs(one) < 1e290 OR abs(other) < 1e290 OR abs(one * 0.5 + other * 0.5) < 8.98846567431158e307 THEN one + other
    ELSE (one * 0.5 + other * 0.5) * 'Infinity'
END
$$;
COMMENT ON FUNCTION add_floats(double precision, double precision) IS 'The sum of two floats, infinity where the plus of PostgreSQL fails because it is too large.';

CREATE FUNCTION is_decimal(value double precision, power double precision) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE
    WHEN abs(value) >= 2251799813685248 THEN false
    WHEN value = 0 THEN value::text = '0'
    ELSE abs(value * power) < 2251799813685248 AND round(value * power) / power = value
END
$$;
COMMENT ON FUNCTION is_decimal(double precision, double precision) IS 'Whether the value is exactly an integer divided by the power of ten, the integer smaller than 2^51. Negative zero is not.';

CREATE FUNCTION roll_up(
    samples double precision[], OUT count bigint, OUT sum double precision, OUT min double precision,
    OUT max double precision, OUT first double precision, OUT last double precision, OUT increase double precision
) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    exact_max CONSTANT double precision := 9007199254740992;
    exponent integer := 0;
    power double precision := 1;
    largest double precision;
    value double precision;
    before double precision;
    amount double precision;
    amounts numeric;
    growth numeric;
BEGIN
    count := cardinality(samples);
    first := samples[1];
    last := samples[count];
    min := first;
    max := first;
    FOREACH value IN ARRAY samples LOOP
        IF value < min THEN
            min := value;
        ELSIF value > max THEN
            max := value;
        END IF;
        -- Beyond the last power there is null, which ends the search for good.
        WHILE power IS NOT NULL AND NOT is_decimal(value, power) LOOP
            exponent := exponent + 1;
            power := power_of_ten(exponent);
        END LOOP;
    END LOOP;
    largest := greatest(max, -min) * power;
    sum := 0;
    increase := 0;
    -- Short decimals are added as integers and divided once: as floats where those cannot become inexact.
    IF 2 * count * largest <= exact_max THEN
        before := round(first * power);
        FOREACH value IN ARRAY samples LOOP
            amount := round(value * power);
            sum := sum + amount;
            increase := increase + CASE WHEN amount < before THEN amount ELSE amount - before END;
            before := amount;
        END LOOP;
        sum := sum / power;
        increase := increase / power;
        RETURN;
    ELSIF largest < 2251799813685248 THEN
        SELECT sum(scaled.amount), sum(CASE WHEN scaled.amount < scaled.before THEN scaled.amount
            ELSE scaled.amount - coalesce(scaled.before, scaled.amount) END) INTO amounts, growth
        FROM (
            SELECT round(listed.value * power)::bigint AS amount,
                lag(round(listed.value * power)::bigint) OVER (ORDER BY listed.place) AS before
            FROM unnest(samples) WITH ORDINALITY AS listed (value, place)
        ) AS scaled;
        IF greatest(abs(amounts), abs(growth)) <= exact_max::numeric THEN
            sum := amounts::double precision / power;
            increase := growth::double precision / power;
            RETURN;
        END IF;
    END IF;
    FOREACH value IN ARRAY samples LOOP
        sum := add_floats(sum, value);
        IF value < before THEN
            increase := add_floats(increase, value);
        ELSE
            -- There is nothing before the first one.
            increase := add_floats(increase, coalesce(add_floats(value, -before), 0));
        END IF;
        before := value;
    END LOOP;
    -- Zeros of either sign are equal, but the negative one is the smaller.
    IF min = 0 AND '-0' = ANY (samples::text[]) THEN
        min := '-0';
    END IF;
    IF max = 0 THEN
        max := CASE WHEN '0' = ANY (samples::text[]) THEN 0 ELSE '-0'::double precision END;
    END IF;
END
$$;
COMMENT ON FUNCTION roll_up(double precision[]) IS 'What the program makes of the samples of a bucket, given in order of time and without those that are NaN. Short decimals are added up exactly, other values in order of time.';

CREATE FUNCTION series_samples(series integer, "from" timestamptz, "to" timestamptz)
    RETURNS TABLE ("time" timestamptz, value double precision) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS $$
SELECT DISTINCT ON (met."time") met."time", met.value
FROM (
    SELECT unpacked."time", unpacked.value, packed.fold
    FROM recent AS packed, unpack_samples(packed.start, packed.count, time_step, time_unit, times, value_scale,
        value_base, value_step, value_is_steps, integers, floats) AS unpacked
    WHERE packed.series = $1 AND packed.start BETWEEN bucket_start($2, '1 hour') AND $3
    UNION ALL
    SELECT unpacked."time", unpacked.value, -1
    FROM samples AS packed, unpack_samples(packed.start, packed.count, time_step, time_unit, times, value_scale,
        value_base, value_step, value_is_steps, integers, floats) AS unpacked
    WHERE packed.series = $1 AND packed.start BETWEEN bucket_start($2, '1 hour') AND $3
) AS met
WHERE met."time" BETWEEN $2 AND $3
ORDER BY met."time", met.fold DESC
$$;
COMMENT ON FUNCTION series_samples(integer, timestamptz, timestamptz) IS 'The samples of a series in recent and samples from a moment to another, both included, in order of time. Of two with the same time the one of the later fold counts.';

CREATE FUNCTION series_rolled_up(series integer, width interval, "from" timestamptz, "to" timestamptz)
    RETURNS TABLE (
        bucket timestamptz, count bigint, sum double precision, min double precision, max double precision,
        first double precision, last double precision, increase double precision
    ) LANGUAGE sql STABLE PARALLEL SAFE ROWS 100 AS $$
SELECT gathered.bucket, rolled.count, rolled.sum, rolled.min, rolled.max, rolled.first, rolled.last, rolled.increase
FROM (
    SELECT bucket_start(stored."time", $2) AS bucket, array_agg(stored.value ORDER BY stored."time") AS samples
    FROM series_samples($1, bucket_start($3 + $2 - interval '1 microsecond', $2),
        bucket_start($4, $2) + $2 - interval '1 microsecond') AS stored
    WHERE stored.value <> 'NaN'
    GROUP BY 1
) AS gathered, roll_up(gathered.samples) AS rolled
$$;
COMMENT ON FUNCTION series_rolled_up(integer, interval, timestamptz, timestamptz) IS 'The buckets of a series that begin from a moment to another, both included, made of its samples.';

CREATE FUNCTION series_minutes(series integer, "from" timestamptz, "to" timestamptz)
    RETURNS TABLE (
        bucket timestamptz, count bigint, sum double precision, min double precision, max double precision,
        first double precision, last double precision, increase double precision
    ) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS $$
SELECT stored.bucket, stored.count, stored.sum, stored.min, stored.max, stored.first, stored.last, stored.increase
FROM rollup_1m AS packed, unpack_buckets(packed.start, '1 minute', buckets, count_base, value_scale, value_base,
    increase_base, counts, sums, mins, maxs, firsts, lasts, increases, floats) AS stored
WHERE packed.series = $1 AND packed.start BETWEEN bucket_start($2, '1 hour') AND $3
  AND stored.bucket BETWEEN $2 AND $3
UNION ALL
SELECT rolled.bucket, rolled.count, rolled.sum, rolled.min, rolled.max, rolled.first, rolled.last, rolled.increase
FROM series_rolled_up($1, '1 minute', $2, $3) AS rolled
-- What came late for an hour whose samples have expired is not shown before it is sealed: no minute is there twice.
WHERE NOT EXISTS (
    SELECT FROM rollup_1m AS expired
    WHERE expired.series = $1 AND expired.start BETWEEN bucket_start($2, '1 hour') AND $3
      AND expired.start = bucket_start(rolled.bucket, '1 hour'))
$$;
COMMENT ON FUNCTION series_minutes(integer, timestamptz, timestamptz) IS 'The minutes of a series that begin from a moment to another, both included: those in rollup_1m, the others made of samples and recent.';

CREATE FUNCTION series_hours(series integer, "from" timestamptz, "to" timestamptz)
    RETURNS TABLE (
        bucket timestamptz, count bigint, sum double precision, min double precision, max double precision,
        first double precision, last double precision, increase double precision
    ) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS $$
SELECT stored.bucket, stored.count, stored.sum, stored.min, stored.max, stored.first, stored.last, stored.increase
FROM rollup_1h AS packed, unpack_buckets(packed.start, '1 hour', buckets, count_base, value_scale, value_base,
    increase_base, counts, sums, mins, maxs, firsts, lasts, increases, floats) AS stored
WHERE packed.series = $1 AND packed.start BETWEEN bucket_start($2, '1 day') AND $3
  AND packed.start < (SELECT up_to FROM progress WHERE name = 'day') AND stored.bucket BETWEEN $2 AND $3
UNION ALL
SELECT rolled.bucket, rolled.count, rolled.sum, rolled.min, rolled.max, rolled.first, rolled.last, rolled.increase
FROM progress, series_rolled_up($1, '1 hour', greatest($2, progress.up_to), $3) AS rolled
WHERE progress.name = 'day'
$$;
COMMENT ON FUNCTION series_hours(integer, timestamptz, timestamptz) IS 'The hours of a series that begin from a moment to another, both included: those of closed days from rollup_1h, the others made of samples and recent.';

CREATE VIEW metrics AS
SELECT servers.id AS server_id, series.metric_type, series.metric_name, stored.value, series.labels,
    stored."time" AS "timestamp"
FROM servers JOIN series ON series.server = servers.key, series_samples(series.id, '-infinity', 'infinity') AS stored;
COMMENT ON VIEW metrics IS 'Every stored sample but those of the last half minute, which are in the journal only. A range of time is much faster with metrics_between.';
COMMENT ON COLUMN metrics.server_id IS 'servers.id.';
COMMENT ON COLUMN metrics.metric_type IS 'The category, such as cpu.';
COMMENT ON COLUMN metrics.metric_name IS 'The measurement within the category, such as usage.';
COMMENT ON COLUMN metrics.value IS 'As it was sent, bit for bit.';
COMMENT ON COLUMN metrics.labels IS 'An object of strings; empty when there are none.';
COMMENT ON COLUMN metrics."timestamp" IS 'The time of the sample. Of two samples with the same series and time the later one counts.';

CREATE FUNCTION mean(sum double precision, count bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE WHEN count = 1 THEN sum WHEN abs(sum) < 1e-290 THEN 0 ELSE sum / count END
$$;
COMMENT ON FUNCTION mean(double precision, bigint) IS 'Sum divided by count; zero where the division would fail because it is too small.';

CREATE VIEW metrics_1m AS
SELECT servers.id AS server_id, series.metric_type, series.metric_name, series.labels, stored.bucket, stored.count,
    stored.sum, stored.min, stored.max, stored.first, stored.last, mean(stored.sum, stored.count) AS avg,
    stored.increase
FROM servers JOIN series ON series.server = servers.key, series_minutes(series.id, '-infinity', 'infinity') AS stored;
COMMENT ON VIEW metrics_1m IS 'Every minute that has samples, but for those of the last half minute, which are in the journal only. A range of time is much faster with metrics_1m_between.';
COMMENT ON COLUMN metrics_1m.server_id IS 'servers.id.';
COMMENT ON COLUMN metrics_1m.metric_type IS 'The category, such as cpu.';
COMMENT ON COLUMN metrics_1m.metric_name IS 'The measurement within the category, such as usage.';
COMMENT ON COLUMN metrics_1m.labels IS 'An object of strings; empty when there are none.';
COMMENT ON COLUMN metrics_1m.bucket IS 'The beginning of the minute.';
COMMENT ON COLUMN metrics_1m.count IS 'How many samples, without those that are NaN. There is no row for none.';
COMMENT ON COLUMN metrics_1m.sum IS 'Their sum: of short decimals the exact one, rounded once.';
COMMENT ON COLUMN metrics_1m.min IS 'The smallest.';
COMMENT ON COLUMN metrics_1m.max IS 'The largest.';
COMMENT ON COLUMN metrics_1m.first IS 'The first by time.';
COMMENT ON COLUMN metrics_1m.last IS 'The last by time.';
COMMENT ON COLUMN metrics_1m.avg IS 'sum divided by count.';
COMMENT ON COLUMN metrics_1m.increase IS 'How much a counter grew from the first to the last sample, resets taken into account.';

CREATE VIEW metrics_1h AS
SELECT servers.id AS server_id, series.metric_type, series.metric_name, series.labels, stored.bucket, stored.count,
    stored.sum, stored.min, stored.max, stored.first, stored.last, mean(stored.sum, stored.count) AS avg,
    stored.increase
FROM servers JOIN series ON series.server = servers.key, series_hours(series.id, '-infinity', 'infinity') AS stored;
COMMENT ON VIEW metrics_1h IS 'Every hour that has samples, but for those of the last half minute. Samples that come late for a day that is closed count once they are sealed. A range of time is much faster with metrics_1h_between.';
COMMENT ON COLUMN metrics_1h.server_id IS 'servers.id.';
COMMENT ON COLUMN metrics_1h.metric_type IS 'The category, such as cpu.';
COMMENT ON COLUMN metrics_1h.metric_name IS 'The measurement within the category, such as usage.';
COMMENT ON COLUMN metrics_1h.labels IS 'An object of strings; empty when there are none.';
COMMENT ON COLUMN metrics_1h.bucket IS 'The beginning of the hour.';
COMMENT ON COLUMN metrics_1h.count IS 'How many samples, without those that are NaN. There is no row for none.';
COMMENT ON COLUMN metrics_1h.sum IS 'Their sum: of short decimals the exact one, rounded once.';
COMMENT ON COLUMN metrics_1h.min IS 'The smallest.';
COMMENT ON COLUMN metrics_1h.max IS 'The largest.';
COMMENT ON COLUMN metrics_1h.first IS 'The first by time.';
COMMENT ON COLUMN metrics_1h.last IS 'The last by time.';
COMMENT ON COLUMN metrics_1h.avg IS 'sum divided by count.';
COMMENT ON COLUMN metrics_1h.increase IS 'How much a counter grew from the first to the last sample, resets taken into account.';

CREATE FUNCTION metrics_between(
    "from" timestamptz, "to" timestamptz, server_id uuid DEFAULT NULL, metric_type text DEFAULT NULL,
    metric_name text DEFAULT NULL
) RETURNS SETOF metrics LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT servers.id, series.metric_type, series.metric_name, stored.value, series.labels, stored."time"
FROM servers JOIN series ON series.server = servers.key, series_samples(series.id, $1, $2) AS stored
WHERE ($3 IS NULL OR servers.id = $3) AND ($4 IS NULL OR series.metric_type = $4)
  AND ($5 IS NULL OR series.metric_name = $5)
$$;
COMMENT ON FUNCTION metrics_between(timestamptz, timestamptz, uuid, text, text) IS 'The rows of metrics from a moment to another, both included; of a server, type and name where those are given. Reads only the months and rows of that time.';

CREATE FUNCTION metrics_1m_between(
    "from" timestamptz, "to" timestamptz, server_id uuid DEFAULT NULL, metric_type text DEFAULT NULL,
    metric_name text DEFAULT NULL
) RETURNS SETOF metrics_1m LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT servers.id, series.metric_type, series.metric_name, series.labels, stored.bucket, stored.count, stored.sum,
    stored.min, stored.max, stored.first, stored.last, mean(stored.sum, stored.count), stored.increase
FROM servers JOIN series ON series.server = servers.key, series_minutes(series.id, $1, $2) AS stored
WHERE ($3 IS NULL OR servers.id = $3) AND ($4 IS NULL OR series.metric_type = $4)
  AND ($5 IS NULL OR series.metric_name = $5)
$$;
COMMENT ON FUNCTION metrics_1m_between(timestamptz, timestamptz, uuid, text, text) IS 'The rows of metrics_1m whose minutes begin from a moment to another, both included; of a server, type and name where those are given. Reads only the months and rows of that time.';

CREATE FUNCTION metrics_1h_between(
    "from" timestamptz, "to" timestamptz, server_id uuid DEFAULT NULL, metric_type text DEFAULT NULL,
    metric_name text DEFAULT NULL
) RETURNS SETOF metrics_1h LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT servers.id, series.metric_type, series.metric_name, series.labels, stored.bucket, stored.count, stored.sum,
    stored.min, stored.max, stored.first, stored.last, mean(stored.sum, stored.count), stored.increase
FROM servers JOIN series ON series.server = servers.key, series_hours(series.id, $1, $2) AS stored
WHERE ($3 IS NULL OR servers.id = $3) AND ($4 IS NULL OR series.metric_type = $4)
  AND ($5 IS NULL OR series.metric_name = $5)
$$;
COMMENT ON FUNCTION metrics_1h_between(timestamptz, timestamptz, uuid, text, text) IS 'The rows of metrics_1h whose hours begin from a moment to another, both included; of a server, type and name where those are given. Reads only the months and rows of that time.';
