-- What pages of raw samples are read by.

-- Only what is the same wherever it is computed is in here, so that it can be part of an index and costs no call.
CREATE FUNCTION samples_reach(start timestamptz, time_step bigint, time_unit integer, count smallint, times bit varying)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT least(
        date_bin(interval '1 hour', start AT TIME ZONE 'UTC', timestamp 'epoch') + interval '3599.999999 seconds',
        start AT TIME ZONE 'UTC' + interval '1 microsecond' * least(3.6e9::double precision, (count - 1) * (
            time_step + time_unit * (2::double precision ^ (coalesce(length(times), 0) / greatest(count - 1, 1)) - 1)))
    ) AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION samples_reach(timestamptz, bigint, integer, smallint, bit varying) IS 'A time that no sample of a packed row is after, without unpacking it: exact when the samples are evenly spaced, and always within their hour (UTC).';

-- Pages of everything: the parts that reach latest first.
CREATE INDEX recent_reach ON recent (samples_reach(start, time_step, time_unit, count, times));
-- Pages of everything, hour by hour, and where the next hour with samples is.
CREATE INDEX samples_start ON samples (start);
-- The blocks of a series: all conditions can be told from the index, so that no other block is touched.
CREATE INDEX journal_series ON journal (node, lane, sequence, series_min, series_max);
-- Questions that name no server would read the whole catalog.
CREATE INDEX series_name ON series (metric_name, metric_type);
