-- The whole schema, for reading: what all migrations together have made of an empty database. A test proves the two
-- equal. The server does not run this file; it applies sql/migrations, and a database made from this file would be
-- taken for an empty one.

CREATE TABLE migrations (
    name text PRIMARY KEY,
    checksum bigint NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE migrations IS 'The migrations that have been applied to this database.';
COMMENT ON COLUMN migrations.name IS 'The file, without its ending; begins with the time it was written.';
COMMENT ON COLUMN migrations.checksum IS 'CRC-32 of the file: a migration that was changed afterwards is refused.';
COMMENT ON COLUMN migrations.applied_at IS 'When it was applied.';

CREATE TABLE nodes (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    version text NOT NULL
);
COMMENT ON TABLE nodes IS 'One row for each start of a server process. The number tells its journal rows from all others.';
COMMENT ON COLUMN nodes.id IS 'Never reused, so a process can count its flushes from one.';
COMMENT ON COLUMN nodes.started_at IS 'When the process started.';
COMMENT ON COLUMN nodes.version IS 'The version of the program.';

CREATE TABLE servers (
    key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    hostname text NOT NULL UNIQUE,
    ip_address inet NOT NULL,
    os text NOT NULL DEFAULT '',
    cpu_model text NOT NULL DEFAULT '',
    total_ram text NOT NULL DEFAULT '',
    kernel_version text NOT NULL DEFAULT '',
    uptime text NOT NULL DEFAULT '',
    labels jsonb,
    agent_version text NOT NULL DEFAULT '',
    last_seen timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE servers IS 'The machines that agents speak for.';
COMMENT ON COLUMN servers.key IS 'The small number other tables refer to.';
COMMENT ON COLUMN servers.id IS 'The identity agents and clients use.';
COMMENT ON COLUMN servers.hostname IS 'Registering a known hostname updates its row and keeps its id.';
COMMENT ON COLUMN servers.ip_address IS 'As the agent said.';
COMMENT ON COLUMN servers.os IS 'As the agent said.';
COMMENT ON COLUMN servers.cpu_model IS 'As the agent said.';
COMMENT ON COLUMN servers.total_ram IS 'As the agent said.';
COMMENT ON COLUMN servers.kernel_version IS 'As the agent said.';
COMMENT ON COLUMN servers.uptime IS 'As the agent said.';
COMMENT ON COLUMN servers.labels IS 'An object of strings, or null when the agent sent none.';
COMMENT ON COLUMN servers.agent_version IS 'As the agent said.';
COMMENT ON COLUMN servers.last_seen IS 'When data last came in, written with a few seconds of delay.';
COMMENT ON COLUMN servers.created_at IS 'First registration.';
COMMENT ON COLUMN servers.updated_at IS 'Last registration or change.';

CREATE TABLE series (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server integer NOT NULL REFERENCES servers (key) ON DELETE CASCADE,
    metric_type text NOT NULL,
    metric_name text NOT NULL,
    labels jsonb NOT NULL,
    identity bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (server, identity)
);
-- Questions that name no server would read the whole catalog.
CREATE INDEX series_name ON series (metric_name, metric_type);
COMMENT ON TABLE series IS 'What samples belong to: a metric of a server, told apart by its labels.';
COMMENT ON COLUMN series.id IS 'The number samples are stored under. Never reused.';
COMMENT ON COLUMN series.server IS 'The server the series belongs to.';
COMMENT ON COLUMN series.metric_type IS 'The category, such as cpu.';
COMMENT ON COLUMN series.metric_name IS 'The measurement within the category, such as usage.';
COMMENT ON COLUMN series.labels IS 'An object of strings; empty when there are none.';
COMMENT ON COLUMN series.identity IS 'SHA-256 of type, name and sorted labels: long labels do not fit an index themselves.';
COMMENT ON COLUMN series.created_at IS 'When the first sample came in.';

CREATE TABLE journal (
    node integer NOT NULL,
    lane smallint NOT NULL,
    slot smallint NOT NULL,
    sequence bigint NOT NULL,
    part smallint NOT NULL,
    series_min integer NOT NULL,
    series_max integer NOT NULL,
    time_min timestamptz NOT NULL,
    time_max timestamptz NOT NULL,
    samples integer NOT NULL,
    committed_at timestamptz NOT NULL,
    block bytea NOT NULL,
    PRIMARY KEY (node, lane, sequence, part, slot)
) PARTITION BY LIST (slot);
-- Blocks are packed already, so PostgreSQL need not try to compress them; and they stay in the row up to a page, which
-- spares small ones the detour through the TOAST table and its index.
ALTER TABLE journal ALTER COLUMN block SET STORAGE EXTERNAL;
CREATE TABLE journal_0 PARTITION OF journal FOR VALUES IN (0) WITH (toast_tuple_target = 8160);
CREATE TABLE journal_1 PARTITION OF journal FOR VALUES IN (1) WITH (toast_tuple_target = 8160);
CREATE TABLE journal_2 PARTITION OF journal FOR VALUES IN (2) WITH (toast_tuple_target = 8160);
CREATE TABLE journal_3 PARTITION OF journal FOR VALUES IN (3) WITH (toast_tuple_target = 8160);
-- A page of blocks follows the one before in exactly this order, so no page needs a sort.
CREATE INDEX journal_time_max ON journal (time_max, node, lane, sequence, part);
CREATE INDEX journal_time_min ON journal (time_min, node, lane, sequence, part);
-- The blocks of a series: all conditions can be told from the index, so that no other block is touched.
CREATE INDEX journal_series ON journal (node, lane, sequence, series_min, series_max);
COMMENT ON TABLE journal IS 'What a commit writes: packed blocks of samples, sorted by series and time. A ring: its parts are emptied in turn.';
COMMENT ON COLUMN journal.node IS 'The process that wrote the row.';
COMMENT ON COLUMN journal.lane IS 'The writer within the process.';
COMMENT ON COLUMN journal.slot IS 'Which part of the ring the row is in: the writer moves on to the next every half minute.';
COMMENT ON COLUMN journal.sequence IS 'Counts the flushes of a lane from one. A number is missing only when PostgreSQL refused its flush for good.';
COMMENT ON COLUMN journal.part IS 'Counts the blocks of a flush from zero.';
COMMENT ON COLUMN journal.series_min IS 'The smallest series id in the block.';
COMMENT ON COLUMN journal.series_max IS 'The largest series id in the block.';
COMMENT ON COLUMN journal.time_min IS 'The earliest sample in the block.';
COMMENT ON COLUMN journal.time_max IS 'The latest sample in the block.';
COMMENT ON COLUMN journal.samples IS 'How many samples the block holds.';
COMMENT ON COLUMN journal.committed_at IS 'The node''s clock when it wrote the flush. Of two samples with the same series and time the later flush wins.';
COMMENT ON COLUMN journal.block IS 'The samples, packed and checksummed.';

CREATE TABLE fold_marks (
    node integer NOT NULL,
    lane smallint NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (node, lane)
);
COMMENT ON TABLE fold_marks IS 'How far each writer of the journal has been folded. Journal rows up to here are copies of what is in recent or samples.';
COMMENT ON COLUMN fold_marks.node IS 'The process.';
COMMENT ON COLUMN fold_marks.lane IS 'The writer within the process.';
COMMENT ON COLUMN fold_marks.sequence IS 'The last flush that was folded, with all before it.';

CREATE TABLE progress (
    name text PRIMARY KEY,
    up_to timestamptz NOT NULL,
    runs bigint NOT NULL
);
COMMENT ON TABLE progress IS 'How far data have moved on. Changed in the transaction that moves them.';
COMMENT ON COLUMN progress.name IS 'fold, seal or day.';
COMMENT ON COLUMN progress.up_to IS 'seal: windows before this have left recent, but for late data. day: rollup_1h holds every day before this. fold: when the last fold was.';
COMMENT ON COLUMN progress.runs IS 'Counts the transactions that moved data.';

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

CREATE TABLE samples (
    start timestamptz NOT NULL,
    time_step bigint NOT NULL,
    value_base bigint NOT NULL,
    value_step bigint NOT NULL,
    series integer NOT NULL,
    time_unit integer NOT NULL,
    count smallint NOT NULL,
    value_scale smallint NOT NULL,
    value_is_steps boolean NOT NULL,
    times bit varying,
    integers bit varying,
    floats double precision[],
    PRIMARY KEY (series, start)
) PARTITION BY RANGE (start);
ALTER TABLE samples ALTER COLUMN times SET STORAGE EXTERNAL;
ALTER TABLE samples ALTER COLUMN integers SET STORAGE EXTERNAL;
ALTER TABLE samples ALTER COLUMN floats SET STORAGE EXTERNAL;
-- Pages of everything, hour by hour, and where the next hour with samples is.
CREATE INDEX samples_start ON samples (start);
COMMENT ON TABLE samples IS 'Every sample that is not in recent or the journal. A row holds samples of one series within one hour (UTC), in order of time; rows of a series do not overlap. By month of start.';
COMMENT ON COLUMN samples.start IS 'The time of the first sample.';
COMMENT ON COLUMN samples.time_step IS 'The smallest distance of neighbouring samples, in microseconds.';
COMMENT ON COLUMN samples.value_base IS 'integers hold distances from it, unless value_is_steps: then it is the first value. As a value times 10^value_scale.';
COMMENT ON COLUMN samples.value_step IS 'When value_is_steps, the smallest step between neighbouring values; integers hold distances from it.';
COMMENT ON COLUMN samples.series IS 'The series.';
COMMENT ON COLUMN samples.time_unit IS 'times count in this many microseconds; zero when the samples are evenly spaced.';
COMMENT ON COLUMN samples.count IS 'How many samples the row holds.';
COMMENT ON COLUMN samples.value_scale IS 'The integers are the values times 10 to this power.';
COMMENT ON COLUMN samples.value_is_steps IS 'Whether integers hold count - 1 steps from value to value instead of count values.';
COMMENT ON COLUMN samples.times IS 'count - 1 unsigned integers of equal width: how much more than time_step each sample is after the one before, in time_unit. Null when evenly spaced.';
COMMENT ON COLUMN samples.integers IS 'Unsigned integers of equal width, see value_is_steps. Null when all are zero, or when floats is set.';
COMMENT ON COLUMN samples.floats IS 'The values themselves, when they are no short decimals.';

CREATE TABLE recent (
    start timestamptz NOT NULL,
    fold bigint NOT NULL,
    time_step bigint NOT NULL,
    value_base bigint NOT NULL,
    value_step bigint NOT NULL,
    series integer NOT NULL,
    time_unit integer NOT NULL,
    count smallint NOT NULL,
    value_scale smallint NOT NULL,
    slot smallint NOT NULL,
    value_is_steps boolean NOT NULL,
    times bit varying,
    integers bit varying,
    floats double precision[]
) PARTITION BY LIST (slot);
ALTER TABLE recent ALTER COLUMN times SET STORAGE EXTERNAL;
ALTER TABLE recent ALTER COLUMN integers SET STORAGE EXTERNAL;
ALTER TABLE recent ALTER COLUMN floats SET STORAGE EXTERNAL;
CREATE TABLE recent_0 PARTITION OF recent FOR VALUES IN (0) WITH (toast_tuple_target = 8160);
CREATE TABLE recent_1 PARTITION OF recent FOR VALUES IN (1) WITH (toast_tuple_target = 8160);
CREATE TABLE recent_2 PARTITION OF recent FOR VALUES IN (2) WITH (toast_tuple_target = 8160);
CREATE TABLE recent_3 PARTITION OF recent FOR VALUES IN (3) WITH (toast_tuple_target = 8160);
CREATE INDEX recent_series ON recent (series, start);
-- Pages of everything: the parts that reach latest first.
CREATE INDEX recent_reach ON recent (samples_reach(start, time_step, time_unit, count, times));
COMMENT ON TABLE recent IS 'Parts: samples that have left the journal, packed like a row of samples, before their hour is sealed. A ring: by the hour of the fold, emptied whole. Of two samples with the same series and time the one of the later fold wins.';
COMMENT ON COLUMN recent.start IS 'See samples.start. A row holds samples of one hour (UTC) only.';
COMMENT ON COLUMN recent.fold IS 'Counts folds; see progress.';
COMMENT ON COLUMN recent.time_step IS 'See samples.time_step.';
COMMENT ON COLUMN recent.value_base IS 'See samples.value_base.';
COMMENT ON COLUMN recent.value_step IS 'See samples.value_step.';
COMMENT ON COLUMN recent.series IS 'The series.';
COMMENT ON COLUMN recent.time_unit IS 'See samples.time_unit.';
COMMENT ON COLUMN recent.count IS 'How many samples the row holds.';
COMMENT ON COLUMN recent.value_scale IS 'See samples.value_scale.';
COMMENT ON COLUMN recent.slot IS 'Which part of the ring the row is in.';
COMMENT ON COLUMN recent.value_is_steps IS 'See samples.value_is_steps.';
COMMENT ON COLUMN recent.times IS 'See samples.times.';
COMMENT ON COLUMN recent.integers IS 'See samples.integers.';
COMMENT ON COLUMN recent.floats IS 'See samples.floats.';

CREATE TABLE rollup_1m (
    start timestamptz NOT NULL,
    value_base bigint NOT NULL,
    increase_base bigint NOT NULL,
    series integer NOT NULL,
    count_base integer NOT NULL,
    value_scale smallint NOT NULL,
    buckets bit varying NOT NULL,
    counts bit varying,
    sums bit varying,
    mins bit varying,
    maxs bit varying,
    firsts bit varying,
    lasts bit varying,
    increases bit varying,
    floats double precision[],
    PRIMARY KEY (series, start)
) PARTITION BY RANGE (start);
COMMENT ON TABLE rollup_1m IS 'What is left of an hour when its samples have expired: a row is one series and one hour of minutes (UTC). A minute is stored here or in samples, never in both. By month of start.';
COMMENT ON COLUMN rollup_1m.start IS 'The beginning of the hour.';
COMMENT ON COLUMN rollup_1m.value_base IS 'mins, maxs, firsts and lasts hold distances from it, sums from count times it. As a value times 10^value_scale.';
COMMENT ON COLUMN rollup_1m.increase_base IS 'increases hold distances from it.';
COMMENT ON COLUMN rollup_1m.series IS 'The series.';
COMMENT ON COLUMN rollup_1m.count_base IS 'counts hold distances from it.';
COMMENT ON COLUMN rollup_1m.value_scale IS 'The integers are the values times 10 to this power.';
COMMENT ON COLUMN rollup_1m.buckets IS 'One bit a bucket of the row: whether it has samples. The other columns have an entry for each that has.';
COMMENT ON COLUMN rollup_1m.counts IS 'How many samples. Unsigned integers of equal width, as in all columns below; null when all are zero.';
COMMENT ON COLUMN rollup_1m.sums IS 'Their sum.';
COMMENT ON COLUMN rollup_1m.mins IS 'The smallest.';
COMMENT ON COLUMN rollup_1m.maxs IS 'The largest.';
COMMENT ON COLUMN rollup_1m.firsts IS 'The first by time.';
COMMENT ON COLUMN rollup_1m.lasts IS 'The last by time.';
COMMENT ON COLUMN rollup_1m.increases IS 'How much a counter grew from the first to the last sample, resets taken into account.';
COMMENT ON COLUMN rollup_1m.floats IS 'When the values are no short decimals: all sums, all mins, all maxs, all firsts, all lasts, all increases.';

CREATE TABLE rollup_1h (LIKE rollup_1m INCLUDING STORAGE, PRIMARY KEY (series, start)) PARTITION BY RANGE (start);
COMMENT ON TABLE rollup_1h IS 'Hours: a row is one series and one day of hours (UTC). Written when a day is closed, corrected when late data come. By month of start.';
COMMENT ON COLUMN rollup_1h.start IS 'The beginning of the day.';
COMMENT ON COLUMN rollup_1h.value_base IS 'See rollup_1m.value_base.';
COMMENT ON COLUMN rollup_1h.increase_base IS 'See rollup_1m.increase_base.';
COMMENT ON COLUMN rollup_1h.series IS 'The series.';
COMMENT ON COLUMN rollup_1h.count_base IS 'See rollup_1m.count_base.';
COMMENT ON COLUMN rollup_1h.value_scale IS 'See rollup_1m.value_scale.';
COMMENT ON COLUMN rollup_1h.buckets IS 'See rollup_1m.buckets.';
COMMENT ON COLUMN rollup_1h.counts IS 'See rollup_1m.counts.';
COMMENT ON COLUMN rollup_1h.sums IS 'See rollup_1m.sums.';
COMMENT ON COLUMN rollup_1h.mins IS 'See rollup_1m.mins.';
COMMENT ON COLUMN rollup_1h.maxs IS 'See rollup_1m.maxs.';
COMMENT ON COLUMN rollup_1h.firsts IS 'See rollup_1m.firsts.';
COMMENT ON COLUMN rollup_1h.lasts IS 'See rollup_1m.lasts.';
COMMENT ON COLUMN rollup_1h.increases IS 'See rollup_1m.increases.';
COMMENT ON COLUMN rollup_1h.floats IS 'See rollup_1m.floats.';

CREATE TABLE jobs (
    name text PRIMARY KEY,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    rows bigint NOT NULL DEFAULT 0,
    error text,
    node integer NOT NULL
);
COMMENT ON TABLE jobs IS 'The last run of each job, on whichever node it was.';
COMMENT ON COLUMN jobs.name IS 'Which job.';
COMMENT ON COLUMN jobs.started_at IS 'When the last run began.';
COMMENT ON COLUMN jobs.ended_at IS 'When it ended; null while it runs, or when the node was killed.';
COMMENT ON COLUMN jobs.rows IS 'Rows it wrote or removed.';
COMMENT ON COLUMN jobs.error IS 'Why it failed; null when it did not.';
COMMENT ON COLUMN jobs.node IS 'The node that ran it.';

CREATE FUNCTION make_month(parent text, moment timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    month timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    child text := parent || to_char(month, '_YYYY_MM');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_partitioned_table JOIN pg_class ON oid = partrelid
                   WHERE oid = to_regclass(quote_ident(parent)) AND partstrat = 'r') THEN
        RAISE EXCEPTION 'no table % by month', parent;
    END IF;
    IF to_regclass(quote_ident(child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Made aside and attached then: that does not wait for those who read and write the parent, nor they for it.
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE) WITH (toast_tuple_target = 8160)',
                   child, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child,
                   month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
END
$$;
COMMENT ON FUNCTION make_month(text, timestamptz) IS 'Makes the table for the month (UTC) of a moment, unless it is there. Answers whether it was made.';

CREATE TABLE snapshots (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server integer NOT NULL REFERENCES servers (key) ON DELETE CASCADE,
    kind text NOT NULL,
    taken_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    body json NOT NULL
);
CREATE INDEX snapshots_latest ON snapshots (server, kind, id DESC);
COMMENT ON TABLE snapshots IS 'Whole-state documents such as process lists: the latest few of each server and kind.';
COMMENT ON COLUMN snapshots.id IS 'Grows with arrival.';
COMMENT ON COLUMN snapshots.server IS 'The server the document describes.';
COMMENT ON COLUMN snapshots.kind IS 'What it describes: processes or containers.';
COMMENT ON COLUMN snapshots.taken_at IS 'The agent''s time.';
COMMENT ON COLUMN snapshots.received_at IS 'Our time.';
COMMENT ON COLUMN snapshots.body IS 'The document as it was sent.';

CREATE TABLE cron_jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    server integer NOT NULL REFERENCES servers (key) ON DELETE CASCADE,
    name text NOT NULL,
    schedule text NOT NULL,
    command text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cron_jobs_server ON cron_jobs (server, created_at);
COMMENT ON TABLE cron_jobs IS 'Scheduled commands an agent watches.';
COMMENT ON COLUMN cron_jobs.id IS 'What results refer to.';
COMMENT ON COLUMN cron_jobs.server IS 'The server the job runs on.';
COMMENT ON COLUMN cron_jobs.name IS 'What people call it.';
COMMENT ON COLUMN cron_jobs.schedule IS 'The cron expression, as it was sent.';
COMMENT ON COLUMN cron_jobs.command IS 'The command line, as it was sent.';
COMMENT ON COLUMN cron_jobs.created_at IS 'When it was added.';

CREATE TABLE cron_results (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job uuid NOT NULL REFERENCES cron_jobs (id) ON DELETE CASCADE,
    success boolean NOT NULL,
    duration_ms double precision NOT NULL,
    output text NOT NULL,
    ran_at timestamptz NOT NULL
);
CREATE INDEX cron_results_job ON cron_results (job, id DESC);
COMMENT ON TABLE cron_results IS 'Runs of scheduled commands.';
COMMENT ON COLUMN cron_results.id IS 'Grows with arrival.';
COMMENT ON COLUMN cron_results.job IS 'The job that ran.';
COMMENT ON COLUMN cron_results.success IS 'Whether it succeeded.';
COMMENT ON COLUMN cron_results.duration_ms IS 'How long it took.';
COMMENT ON COLUMN cron_results.output IS 'What it printed.';
COMMENT ON COLUMN cron_results.ran_at IS 'The agent''s time.';

CREATE TABLE port_checks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    server integer NOT NULL REFERENCES servers (key) ON DELETE CASCADE,
    name text NOT NULL,
    host text NOT NULL,
    port integer NOT NULL,
    protocol text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX port_checks_server ON port_checks (server, created_at);
COMMENT ON TABLE port_checks IS 'Ports an agent probes.';
COMMENT ON COLUMN port_checks.id IS 'What results refer to.';
COMMENT ON COLUMN port_checks.server IS 'The server that probes.';
COMMENT ON COLUMN port_checks.name IS 'What people call it.';
COMMENT ON COLUMN port_checks.host IS 'The host to connect to.';
COMMENT ON COLUMN port_checks.port IS 'The port to connect to.';
COMMENT ON COLUMN port_checks.protocol IS 'tcp unless the agent said otherwise.';
COMMENT ON COLUMN port_checks.created_at IS 'When it was added.';

CREATE TABLE port_results (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    port_check uuid NOT NULL REFERENCES port_checks (id) ON DELETE CASCADE,
    success boolean NOT NULL,
    latency_ms double precision NOT NULL,
    error text NOT NULL,
    checked_at timestamptz NOT NULL
);
CREATE INDEX port_results_check ON port_results (port_check, id DESC);
COMMENT ON TABLE port_results IS 'Outcomes of port probes.';
COMMENT ON COLUMN port_results.id IS 'Grows with arrival.';
COMMENT ON COLUMN port_results.port_check IS 'The probe.';
COMMENT ON COLUMN port_results.success IS 'Whether the port answered.';
COMMENT ON COLUMN port_results.latency_ms IS 'How long it took.';
COMMENT ON COLUMN port_results.error IS 'Why it did not answer; empty when it did.';
COMMENT ON COLUMN port_results.checked_at IS 'The agent''s time.';

CREATE TABLE catalog_revision (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    revision bigint NOT NULL
);
COMMENT ON TABLE catalog_revision IS 'One row. A sequence would not do: its number can be read before the change it stands for.';
COMMENT ON COLUMN catalog_revision.is_only IS 'Keeps the table at one row.';
COMMENT ON COLUMN catalog_revision.revision IS 'Counts the statements that deleted servers. Who reads a new number sees the servers gone.';

CREATE FUNCTION count_catalog_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_revision SET revision = revision + 1 WHERE EXISTS (SELECT FROM gone);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION count_catalog_revision() IS 'Tells every process that servers were deleted, by whomever.';

CREATE TRIGGER servers_deleted AFTER DELETE ON servers
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_catalog_revision();
COMMENT ON TRIGGER servers_deleted ON servers IS 'Moves catalog_revision on.';
