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
    version text NOT NULL,
    token uuid NOT NULL DEFAULT gen_random_uuid()
);
COMMENT ON TABLE nodes IS 'One row for each start of a server process. The number tells its journal rows from all others.';
COMMENT ON COLUMN nodes.id IS 'Never reused, so a process can count its flushes from one.';
COMMENT ON COLUMN nodes.started_at IS 'When the process started.';
COMMENT ON COLUMN nodes.version IS 'The version of the program.';
COMMENT ON COLUMN nodes.token IS 'What the process knows its row by. When the database is set back to an earlier state, another process may be given the same number, but not the same token.';

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text UNIQUE,
    email text UNIQUE,
    password_hash text NOT NULL,
    role text CHECK (role IN ('admin', 'editor', 'viewer')),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_login timestamptz,
    CHECK (username IS NOT NULL OR email IS NOT NULL)
);
COMMENT ON TABLE users IS 'People who can sign in.';
COMMENT ON COLUMN users.id IS 'Never reused.';
COMMENT ON COLUMN users.username IS 'One of the two names to sign in with.';
COMMENT ON COLUMN users.email IS 'The other one, in lower case.';
COMMENT ON COLUMN users.password_hash IS 'Argon2id, in the PHC form.';
COMMENT ON COLUMN users.role IS 'What the person may do to the fleet: admin, editor or viewer. Null: nothing, only to servers of their own.';
COMMENT ON COLUMN users.is_active IS 'False: cannot sign in, and is signed out everywhere.';
COMMENT ON COLUMN users.created_at IS 'When the person registered or was added.';
COMMENT ON COLUMN users.updated_at IS 'Last change of name, password, role or state.';
COMMENT ON COLUMN users.last_login IS 'Last time the password was right.';

CREATE TABLE servers (
    key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    hostname text NOT NULL,
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
    updated_at timestamptz NOT NULL DEFAULT now(),
    owner bigint REFERENCES users ON DELETE CASCADE,
    belonging bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX servers_hostname ON servers (hostname) WHERE owner IS NULL;
CREATE INDEX servers_owner ON servers (owner) WHERE owner IS NOT NULL;
CREATE INDEX servers_belonging ON servers (belonging) WHERE belonging > 0;
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
COMMENT ON COLUMN servers.owner IS 'The person it belongs to; null: it belongs to the fleet, where host names are unique.';
COMMENT ON COLUMN servers.belonging IS 'The count at the last change of its owner, labels or host name; 0: none since it was added.';

CREATE TABLE series (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server integer NOT NULL REFERENCES servers (key) ON DELETE CASCADE,
    metric_type text NOT NULL,
    metric_name text NOT NULL,
    labels jsonb NOT NULL,
    identity bytea NOT NULL CHECK (length(identity) <= 16),
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
COMMENT ON COLUMN series.identity IS 'The first 16 bytes of the SHA-256 of type, name and sorted labels: long labels do not fit an index themselves.';
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
    moved_at timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (node, lane)
);
COMMENT ON TABLE fold_marks IS 'How far each writer of the journal has been folded. Journal rows up to here are copies of what is in recent or samples.';
COMMENT ON COLUMN fold_marks.node IS 'The process.';
COMMENT ON COLUMN fold_marks.lane IS 'The writer within the process.';
COMMENT ON COLUMN fold_marks.sequence IS 'The last flush that was folded, with all before it.';
COMMENT ON COLUMN fold_marks.moved_at IS 'When the mark last moved. One that stood still for long, of a writer without rows in the journal, is forgotten.';

CREATE TABLE progress (
    name text PRIMARY KEY,
    up_to timestamptz NOT NULL,
    runs bigint NOT NULL
);
COMMENT ON TABLE progress IS 'How far data have moved on. Changed in the transaction that moves them.';
COMMENT ON COLUMN progress.name IS 'fold, seal, day, keep or gone.';
COMMENT ON COLUMN progress.up_to IS 'seal: windows before this have left recent, but for late data. day: rollup_1h holds every day before this. fold: when the last fold was. keep: the last hour in which everything was looked through for what has expired. gone: of no series anything before this is kept in any form.';
COMMENT ON COLUMN progress.runs IS 'Counts the transactions that moved data.';

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
    started_at timestamptz,
    ended_at timestamptz,
    rows bigint NOT NULL DEFAULT 0,
    error text,
    node integer,
    succeeded_at timestamptz,
    running_since timestamptz,
    running_on integer
);
COMMENT ON TABLE jobs IS 'The last run of each job, on whichever node it was, and the one that goes on now.';
COMMENT ON COLUMN jobs.name IS 'Which job.';
COMMENT ON COLUMN jobs.started_at IS 'When the last run that has ended began.';
COMMENT ON COLUMN jobs.ended_at IS 'When it ended.';
COMMENT ON COLUMN jobs.rows IS 'Rows it wrote or removed.';
COMMENT ON COLUMN jobs.error IS 'Why it failed; null when it did not.';
COMMENT ON COLUMN jobs.node IS 'The node that ran it.';
COMMENT ON COLUMN jobs.succeeded_at IS 'When the last run that did not fail began: what had to be done then is done.';
COMMENT ON COLUMN jobs.running_since IS 'When the run that goes on now began. When its node was killed it stays until the next run ends.';
COMMENT ON COLUMN jobs.running_on IS 'The node it runs on.';

CREATE TABLE journal_slots (
    slot smallint PRIMARY KEY,
    folded_at timestamptz NOT NULL
);
COMMENT ON TABLE journal_slots IS 'The parts of the journal''s ring. Changed by those who fold, under their lock.';
COMMENT ON COLUMN journal_slots.slot IS 'See journal.slot.';
COMMENT ON COLUMN journal_slots.folded_at IS 'When something that is in it was last folded, by the clock of the node that did.';

CREATE FUNCTION empty_journal_slot(emptied smallint, before timestamptz) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '100ms' AS $$
DECLARE
    part text := 'journal_' || emptied;
    is_done boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM journal_slots WHERE slot = emptied AND folded_at <= before) THEN
        RETURN false;
    END IF;
    FOR look IN 1..2 LOOP
        -- Sequences of a writer only grow, so its last row tells of all; no row at all is null.
        WITH RECURSIVE writer AS (
            (SELECT node, lane FROM journal WHERE slot = emptied ORDER BY node, lane LIMIT 1)
            UNION ALL
            SELECT later.node, later.lane
            FROM writer CROSS JOIN LATERAL (
                SELECT node, lane FROM journal
                WHERE slot = emptied AND (journal.node, journal.lane) > (writer.node, writer.lane)
                ORDER BY node, lane
                LIMIT 1) AS later
        )
        SELECT bool_and(newest.sequence <= coalesce(fold_marks.sequence, 0))
        INTO is_done
        FROM writer
        LEFT JOIN fold_marks USING (node, lane)
        CROSS JOIN LATERAL (
            SELECT sequence FROM journal
            WHERE slot = emptied AND journal.node = writer.node AND journal.lane = writer.lane
            ORDER BY sequence DESC
            LIMIT 1) AS newest;
        IF is_done IS NOT TRUE THEN
            RETURN false;
        END IF;
        -- The first look kept nobody waiting. What was written between it and the lock is seen by the second.
        IF look = 1 THEN
            BEGIN
                EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', part);
            EXCEPTION WHEN lock_not_available THEN
                RETURN false;
            END;
        END IF;
    END LOOP;
    EXECUTE format('TRUNCATE %I', part);
    RETURN true;
END
$$;
COMMENT ON FUNCTION empty_journal_slot(smallint, timestamptz) IS 'Empties a part of the journal when all that is in it was folded, the last of it up to a moment. Answers whether it was emptied. Gives up when the lock is not to be had at once.';

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

CREATE FUNCTION make_month(parent text, moment timestamptz) RETURNS boolean LANGUAGE plpgsql
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

CREATE FUNCTION empty_recent(slot integer) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
    part text := 'recent_' || slot;
    has_rows boolean;
BEGIN
    IF pg_relation_size(part::regclass) = 0 THEN
        RETURN false;
    END IF;
    -- Looked at first without keeping anyone out, then again without new rows coming in; readers wait for the rest only.
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', part) INTO has_rows;
    IF has_rows THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', part);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', part) INTO has_rows;
    IF has_rows THEN
        RETURN false;
    END IF;
    EXECUTE format('TRUNCATE %I', part);
    RETURN true;
END
$$;
COMMENT ON FUNCTION empty_recent(integer) IS 'Gives the space of a part of recent back when no row is left in it. Answers whether there was anything to do. Fails when the table is not free within a moment.';

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
    revision bigint NOT NULL,
    belongings bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE catalog_revision IS 'One row. A sequence would not do: its number can be read before the change it stands for.';
COMMENT ON COLUMN catalog_revision.is_only IS 'Keeps the table at one row.';
COMMENT ON COLUMN catalog_revision.revision IS 'Counts the statements that deleted servers. Who reads a new number sees the servers gone.';
COMMENT ON COLUMN catalog_revision.belongings IS 'Counts the changes of owners, labels and host names of servers. Who reads a new number sees them done.';

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

-- The row of the counter is locked until the change is committed, so numbers come to light in their order.
CREATE FUNCTION count_belonging() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_revision SET belongings = belongings + 1 RETURNING belongings INTO NEW.belonging;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION count_belonging() IS 'Tells every process to judge a server anew.';

CREATE TRIGGER servers_belonging BEFORE UPDATE OF owner, labels, hostname ON servers FOR EACH ROW
    WHEN (OLD.owner IS DISTINCT FROM NEW.owner OR OLD.labels IS DISTINCT FROM NEW.labels
        OR OLD.hostname IS DISTINCT FROM NEW.hostname)
    EXECUTE FUNCTION count_belonging();
COMMENT ON TRIGGER servers_belonging ON servers IS 'Moves catalog_revision.belongings on.';

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
CREATE TABLE events (
    at timestamptz NOT NULL,
    id bigint NOT NULL,
    server integer NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    title text NOT NULL,
    attributes jsonb NOT NULL,
    PRIMARY KEY (server, at, id)
) PARTITION BY RANGE (at);
CREATE INDEX events_at ON events (at, id);
CREATE SEQUENCE event_ids OWNED BY events.id;
ALTER TABLE events ALTER COLUMN id SET DEFAULT nextval('event_ids');
COMMENT ON TABLE events IS 'Things that happened on servers. By month. Without a foreign key, so that a server that is deleted does not wait for its past; rows of servers that are gone are not shown.';
COMMENT ON COLUMN events.at IS 'When it happened, by the sender''s clock.';
COMMENT ON COLUMN events.id IS 'Tells events of the same moment apart, in the order of their arrival.';
COMMENT ON COLUMN events.server IS 'The server it happened on.';
COMMENT ON COLUMN events.kind IS 'What sort of event, in the sender''s words.';
COMMENT ON COLUMN events.severity IS 'How bad, in the sender''s words.';
COMMENT ON COLUMN events.title IS 'What happened, for people.';
COMMENT ON COLUMN events.attributes IS 'An object with whatever else the sender said.';

CREATE TABLE logs (
    at timestamptz NOT NULL,
    id bigint NOT NULL,
    server integer NOT NULL,
    source text NOT NULL,
    level text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (server, at, id)
) PARTITION BY RANGE (at);
CREATE INDEX logs_at ON logs (at, id);
CREATE SEQUENCE log_ids OWNED BY logs.id;
ALTER TABLE logs ALTER COLUMN id SET DEFAULT nextval('log_ids');
COMMENT ON TABLE logs IS 'Lines of logs of servers. By month, and without a foreign key, see events.';
COMMENT ON COLUMN logs.at IS 'When it was written, by the sender''s clock.';
COMMENT ON COLUMN logs.id IS 'Tells lines of the same moment apart, in the order of their arrival.';
COMMENT ON COLUMN logs.server IS 'The server that wrote it.';
COMMENT ON COLUMN logs.source IS 'Which log, in the sender''s words.';
COMMENT ON COLUMN logs.level IS 'How bad, in the sender''s words.';
COMMENT ON COLUMN logs.message IS 'The line.';

CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server integer NOT NULL REFERENCES servers (key) ON DELETE CASCADE,
    kind text NOT NULL,
    taken_at timestamptz NOT NULL,
    body json NOT NULL
);
CREATE INDEX documents_latest ON documents (server, kind, id DESC);
COMMENT ON TABLE documents IS 'Documents that say how a server is: the latest few of each server and kind.';
COMMENT ON COLUMN documents.id IS 'Grows with arrival.';
COMMENT ON COLUMN documents.server IS 'The server it describes.';
COMMENT ON COLUMN documents.kind IS 'What of the server it describes, in the sender''s words.';
COMMENT ON COLUMN documents.taken_at IS 'The sender''s time.';
COMMENT ON COLUMN documents.body IS 'The document, as it came.';

CREATE TABLE sessions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    last_used timestamptz NOT NULL,
    address inet NOT NULL,
    user_agent text NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
COMMENT ON TABLE sessions IS 'Browsers that are signed in.';
COMMENT ON COLUMN sessions.id IS 'What a person names a session by when revoking it.';
COMMENT ON COLUMN sessions.hash IS 'SHA-256 of what the cookie holds.';
COMMENT ON COLUMN sessions.user_id IS 'Who is signed in.';
COMMENT ON COLUMN sessions.created_at IS 'When.';
COMMENT ON COLUMN sessions.expires_at IS 'Until when.';
COMMENT ON COLUMN sessions.last_used IS 'Last request, to the minute.';
COMMENT ON COLUMN sessions.address IS 'From where.';
COMMENT ON COLUMN sessions.user_agent IS 'With which browser, as it said, cut short.';

CREATE TABLE refresh_tokens (
    jti uuid PRIMARY KEY,
    family uuid NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
COMMENT ON TABLE refresh_tokens IS 'Refresh tokens that were handed out and have not expired.';
COMMENT ON COLUMN refresh_tokens.jti IS 'The number in the token.';
COMMENT ON COLUMN refresh_tokens.family IS 'All tokens that followed from one signing in. When a used one comes again, all of them end.';
COMMENT ON COLUMN refresh_tokens.user_id IS 'Whose.';
COMMENT ON COLUMN refresh_tokens.expires_at IS 'Until when it can be used.';
COMMENT ON COLUMN refresh_tokens.revoked_at IS 'When it was used or revoked; null while it is good.';

CREATE TABLE invites (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    role text CHECK (role IN ('admin', 'editor', 'viewer')),
    created_by bigint REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_by bigint REFERENCES users ON DELETE SET NULL,
    used_at timestamptz,
    sets_up boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE invites IS 'Codes that let one person register.';
COMMENT ON COLUMN invites.id IS 'What an invitation is revoked by.';
COMMENT ON COLUMN invites.hash IS 'SHA-256 of the code.';
COMMENT ON COLUMN invites.role IS 'The role the person gets, or null for none.';
COMMENT ON COLUMN invites.created_by IS 'Who invited, where it was a person.';
COMMENT ON COLUMN invites.created_at IS 'When.';
COMMENT ON COLUMN invites.expires_at IS 'Until when it can be used.';
COMMENT ON COLUMN invites.used_by IS 'Who came.';
COMMENT ON COLUMN invites.used_at IS 'When; null while it is open.';
COMMENT ON COLUMN invites.sets_up IS 'Good only while there is no administrator.';

CREATE TABLE agents (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server integer NOT NULL UNIQUE REFERENCES servers (key) ON DELETE CASCADE,
    owner bigint REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    machine_id text UNIQUE,
    is_active boolean NOT NULL DEFAULT true,
    interval_seconds integer,
    created_at timestamptz NOT NULL
);
CREATE INDEX agents_owner ON agents (owner);
COMMENT ON TABLE agents IS 'Programs that send data of one server with a token of their own.';
COMMENT ON COLUMN agents.id IS 'The number its owner knows it by.';
COMMENT ON COLUMN agents.server IS 'The only server it may speak for.';
COMMENT ON COLUMN agents.owner IS 'The person it belongs to; null: it is an endpoint of the fleet.';
COMMENT ON COLUMN agents.name IS 'As the owner called it; for an endpoint its host name.';
COMMENT ON COLUMN agents.machine_id IS 'What an endpoint says it is; null for agents of persons.';
COMMENT ON COLUMN agents.is_active IS 'False once deleted: its token is refused.';
COMMENT ON COLUMN agents.interval_seconds IS 'How often it says it sends, where it says so.';
COMMENT ON COLUMN agents.created_at IS 'When it was added.';

CREATE TABLE tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    agent integer UNIQUE REFERENCES agents ON DELETE CASCADE,
    created_by bigint REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    rights text[] NOT NULL,
    servers uuid[],
    labels jsonb,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    activated_at timestamptz,
    revoked_at timestamptz,
    last_used timestamptz,
    last_address inet
);
CREATE INDEX tokens_created_by ON tokens (created_by);
COMMENT ON TABLE tokens IS 'What programs show to be let in. The tokens themselves are nowhere.';
COMMENT ON COLUMN tokens.id IS 'What a token is revoked by.';
COMMENT ON COLUMN tokens.hash IS 'SHA-256 of the token, which is random enough to need no more.';
COMMENT ON COLUMN tokens.agent IS 'The agent whose token it is; null for tokens that people make for their programs.';
COMMENT ON COLUMN tokens.created_by IS 'The person on whose behalf it acts: it never reaches further than they do.';
COMMENT ON COLUMN tokens.name IS 'What it is for.';
COMMENT ON COLUMN tokens.rights IS 'What may be done with it: ingest, read, observe, change, administer.';
COMMENT ON COLUMN tokens.servers IS 'The servers it is for; null: all that its maker reaches.';
COMMENT ON COLUMN tokens.labels IS 'Labels a server must have for it; null: none.';
COMMENT ON COLUMN tokens.created_at IS 'When it was made.';
COMMENT ON COLUMN tokens.expires_at IS 'Until when it is good; null: for good.';
COMMENT ON COLUMN tokens.activated_at IS 'First use of an agent''s token, after which it does not expire.';
COMMENT ON COLUMN tokens.revoked_at IS 'When it was revoked; null while it is good.';
COMMENT ON COLUMN tokens.last_used IS 'Last use, to the minute.';
COMMENT ON COLUMN tokens.last_address IS 'From where that was.';

CREATE TABLE settings (
    key text PRIMARY KEY,
    value jsonb NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    updated_by bigint REFERENCES users ON DELETE SET NULL
);
COMMENT ON TABLE settings IS 'What people set while the server runs.';
COMMENT ON COLUMN settings.key IS 'A group of settings.';
COMMENT ON COLUMN settings.value IS 'Only what differs from the defaults.';
COMMENT ON COLUMN settings.version IS 'Counts the changes; a change that knew an older one is refused.';
COMMENT ON COLUMN settings.updated_at IS 'Last change.';
COMMENT ON COLUMN settings.updated_by IS 'By whom.';

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    user_id bigint,
    action text NOT NULL,
    subject text NOT NULL,
    details jsonb NOT NULL,
    address inet
);
CREATE INDEX audit_at ON audit (at);
COMMENT ON TABLE audit IS 'Who changed what, and who signed in or tried to.';
COMMENT ON COLUMN audit.id IS 'Grows with time.';
COMMENT ON COLUMN audit.at IS 'When.';
COMMENT ON COLUMN audit.actor IS 'Who, as text: it outlives the person''s row.';
COMMENT ON COLUMN audit.user_id IS 'The person, where it was one.';
COMMENT ON COLUMN audit.action IS 'What was done, such as token.revoke.';
COMMENT ON COLUMN audit.subject IS 'To what.';
COMMENT ON COLUMN audit.details IS 'What else is worth knowing; never a secret.';
COMMENT ON COLUMN audit.address IS 'From where.';

CREATE TABLE auth_revision (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    revision bigint NOT NULL
);
INSERT INTO auth_revision (revision) VALUES (0);
COMMENT ON TABLE auth_revision IS 'One row, as catalog_revision.';
COMMENT ON COLUMN auth_revision.is_only IS 'Keeps the table at one row.';
COMMENT ON COLUMN auth_revision.revision IS 'Counts the statements after which someone may do less than before. Who reads a new number sees them done.';

CREATE FUNCTION count_auth_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE auth_revision SET revision = revision + 1;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION count_auth_revision() IS 'Tells every process to forget whom it knows.';

CREATE TRIGGER users_changed AFTER DELETE OR UPDATE OF password_hash, role, is_active ON users
    FOR EACH STATEMENT EXECUTE FUNCTION count_auth_revision();
COMMENT ON TRIGGER users_changed ON users IS 'Moves auth_revision on.';
CREATE TRIGGER sessions_changed AFTER DELETE ON sessions FOR EACH STATEMENT EXECUTE FUNCTION count_auth_revision();
COMMENT ON TRIGGER sessions_changed ON sessions IS 'Moves auth_revision on.';
CREATE TRIGGER agents_changed AFTER DELETE OR UPDATE OF is_active, name, owner ON agents
    FOR EACH STATEMENT EXECUTE FUNCTION count_auth_revision();
COMMENT ON TRIGGER agents_changed ON agents IS 'Moves auth_revision on.';
CREATE TRIGGER tokens_changed AFTER DELETE OR UPDATE OF hash, rights, servers, labels, expires_at, revoked_at ON tokens
    FOR EACH STATEMENT EXECUTE FUNCTION count_auth_revision();
COMMENT ON TRIGGER tokens_changed ON tokens IS 'Moves auth_revision on.';

CREATE FUNCTION within_reach(owner bigint, id uuid, labels jsonb, reach jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT reach IS NULL
    OR ((owner IS NULL AND (reach ->> 'fleet')::boolean IS TRUE
         OR owner IS NOT NULL AND (reach ->> 'everyone')::boolean IS TRUE
         OR owner = (reach ->> 'owner')::bigint)
        AND (reach -> 'servers' IS NULL OR reach -> 'servers' ? id::text)
        AND (reach -> 'labels' IS NULL OR labels @> (reach -> 'labels')))
$$;
COMMENT ON FUNCTION within_reach(bigint, uuid, jsonb, jsonb) IS 'Whether a server with this owner, id and labels is among those that a caller may see. A null reach is everything.';

CREATE TABLE set_aside (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    level text NOT NULL,
    place jsonb NOT NULL,
    reason text NOT NULL,
    found_by text NOT NULL,
    found_at timestamptz NOT NULL,
    bytes bytea NOT NULL
);
COMMENT ON TABLE set_aside IS 'Damaged rows that were taken out of the way, as they were. At most a thousand: beyond that jobs stop instead. A row may be deleted once it has been looked at.';
COMMENT ON COLUMN set_aside.id IS 'Grows with time.';
COMMENT ON COLUMN set_aside.level IS 'The table it was in: journal, recent, samples, rollup_1m or rollup_1h.';
COMMENT ON COLUMN set_aside.place IS 'Its columns but for the packed ones.';
COMMENT ON COLUMN set_aside.reason IS 'What is wrong with it.';
COMMENT ON COLUMN set_aside.found_by IS 'What was done when it was found: fold, seal, day, keep or erase.';
COMMENT ON COLUMN set_aside.found_at IS 'When it was found.';
COMMENT ON COLUMN set_aside.bytes IS 'The block of a journal row; of others the whole row as PostgreSQL sends it (record_send), bit for bit.';

CREATE TABLE alert_recipients (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner bigint REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('email', 'webhook', 'discord', 'slack', 'telegram', 'ntfy')),
    target json NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    is_own_telegram boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_success timestamptz,
    last_failure timestamptz,
    last_error text
);
CREATE INDEX alert_recipients_owner ON alert_recipients (owner);
CREATE UNIQUE INDEX alert_recipients_own_telegram ON alert_recipients (owner) WHERE is_own_telegram;
COMMENT ON TABLE alert_recipients IS 'Who is told of alerts, and how.';
COMMENT ON COLUMN alert_recipients.id IS 'What rules name it by.';
COMMENT ON COLUMN alert_recipients.owner IS 'The person whose alerts go there; null: the fleet''s do.';
COMMENT ON COLUMN alert_recipients.name IS 'What people call it.';
COMMENT ON COLUMN alert_recipients.kind IS 'How it is reached.';
COMMENT ON COLUMN alert_recipients.target IS 'Where it is reached; holds secrets.';
COMMENT ON COLUMN alert_recipients.enabled IS 'False: nothing goes there.';
COMMENT ON COLUMN alert_recipients.is_own_telegram IS 'The one Telegram chat that a person can set by POST /recipient.';
COMMENT ON COLUMN alert_recipients.created_at IS 'When it was added.';
COMMENT ON COLUMN alert_recipients.updated_at IS 'Last change.';
COMMENT ON COLUMN alert_recipients.last_success IS 'When something last arrived there.';
COMMENT ON COLUMN alert_recipients.last_failure IS 'When something last did not.';
COMMENT ON COLUMN alert_recipients.last_error IS 'Why not.';

CREATE TABLE alert_rules (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner bigint REFERENCES users ON DELETE CASCADE,
    servers uuid[],
    labels jsonb,
    name text NOT NULL,
    definition json NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    of_agent integer REFERENCES agents ON DELETE CASCADE,
    version bigint NOT NULL DEFAULT 1,
    created_by bigint REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX alert_rules_owner ON alert_rules (owner);
CREATE INDEX alert_rules_of_agent ON alert_rules (of_agent) WHERE of_agent IS NOT NULL;
COMMENT ON TABLE alert_rules IS 'What is watched.';
COMMENT ON COLUMN alert_rules.id IS 'What people and history name it by.';
COMMENT ON COLUMN alert_rules.owner IS 'The person whose servers it watches; null: it watches the fleet.';
COMMENT ON COLUMN alert_rules.servers IS 'The only servers its maker''s token reached; null: no restriction.';
COMMENT ON COLUMN alert_rules.labels IS 'Labels a server had to have for its maker''s token; null: none.';
COMMENT ON COLUMN alert_rules.name IS 'What people call it.';
COMMENT ON COLUMN alert_rules.definition IS 'What it watches and when it fires, in the form of the API.';
COMMENT ON COLUMN alert_rules.enabled IS 'False: it is not judged.';
COMMENT ON COLUMN alert_rules.of_agent IS 'The agent whose reports it judges as a whole (rules of POST /rules); null: it judges samples.';
COMMENT ON COLUMN alert_rules.version IS 'Grows with each change.';
COMMENT ON COLUMN alert_rules.created_by IS 'Who made it.';
COMMENT ON COLUMN alert_rules.created_at IS 'When.';
COMMENT ON COLUMN alert_rules.updated_at IS 'Last change.';

CREATE TABLE alert_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    owner bigint REFERENCES users ON DELETE CASCADE,
    rule bigint REFERENCES alert_rules ON DELETE SET NULL,
    pack text,
    server integer REFERENCES servers (key) ON DELETE CASCADE,
    series integer,
    change text NOT NULL
        CHECK (change IN ('firing', 'reminder', 'acknowledged', 'resolved', 'no_data', 'suppressed')),
    severity text NOT NULL CHECK (severity IN ('critical', 'warning', 'info')),
    title text NOT NULL,
    sample_time timestamptz,
    value double precision,
    details json NOT NULL
);
CREATE INDEX alert_events_at ON alert_events (at);
CREATE INDEX alert_events_owner ON alert_events (owner, id);
CREATE INDEX alert_events_rule ON alert_events (rule, id) WHERE rule IS NOT NULL;
CREATE INDEX alert_events_server ON alert_events (server, id);
CREATE INDEX alert_events_pack ON alert_events (pack, id) WHERE pack IS NOT NULL;
COMMENT ON TABLE alert_events IS 'What happened with alerts, in order.';
COMMENT ON COLUMN alert_events.id IS 'Grows in time, except among those that happen at once.';
COMMENT ON COLUMN alert_events.at IS 'When it was found, by the server''s clock.';
COMMENT ON COLUMN alert_events.owner IS 'The person whose server it is about; null: the fleet''s.';
COMMENT ON COLUMN alert_events.rule IS 'The rule; null where it is gone, or a pack found it.';
COMMENT ON COLUMN alert_events.pack IS 'The built-in pack that found it; null for rules.';
COMMENT ON COLUMN alert_events.server IS 'The server it is about; null where it is about several.';
COMMENT ON COLUMN alert_events.series IS 'The series it is about; null where it is about more.';
COMMENT ON COLUMN alert_events.change IS 'What happened.';
COMMENT ON COLUMN alert_events.severity IS 'How bad.';
COMMENT ON COLUMN alert_events.title IS 'It, in one line.';
COMMENT ON COLUMN alert_events.sample_time IS 'The time of the sample that decided.';
COMMENT ON COLUMN alert_events.value IS 'What was compared, bit for bit.';
COMMENT ON COLUMN alert_events.details IS 'Everything else there is to say.';

CREATE TABLE alert_states (
    rule bigint NOT NULL REFERENCES alert_rules ON DELETE CASCADE,
    series integer NOT NULL,
    server integer NOT NULL REFERENCES servers (key) ON DELETE CASCADE,
    phase text NOT NULL CHECK (phase IN ('pending', 'firing', 'acknowledged', 'resolved')),
    since timestamptz NOT NULL,
    judged_until timestamptz,
    value double precision,
    fired_at timestamptz,
    told_at timestamptz,
    acknowledged_by text,
    flips json NOT NULL DEFAULT '[]',
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (rule, series)
);
CREATE INDEX alert_states_server ON alert_states (server);
CREATE INDEX alert_states_phase ON alert_states (phase, updated_at);
COMMENT ON TABLE alert_states IS 'How each rule stands with each series it watches; what is not listed is as it should be.';
COMMENT ON COLUMN alert_states.rule IS 'The rule.';
COMMENT ON COLUMN alert_states.series IS 'The series; 0 where the rule judges a server as a whole.';
COMMENT ON COLUMN alert_states.server IS 'The server of the series.';
COMMENT ON COLUMN alert_states.phase IS 'How it stands.';
COMMENT ON COLUMN alert_states.since IS 'Since when, by the time of the sample that decided, or of the server''s clock where none did.';
COMMENT ON COLUMN alert_states.judged_until IS 'Samples up to this time have been judged; earlier ones that come late are not.';
COMMENT ON COLUMN alert_states.value IS 'What was last compared when the phase changed.';
COMMENT ON COLUMN alert_states.fired_at IS 'When it last fired, by the server''s clock.';
COMMENT ON COLUMN alert_states.told_at IS 'When somebody was last told, by the server''s clock.';
COMMENT ON COLUMN alert_states.acknowledged_by IS 'Who has said that they know of it.';
COMMENT ON COLUMN alert_states.flips IS 'When it last changed between firing and resolved, while flapping is watched for.';
COMMENT ON COLUMN alert_states.version IS 'Grows with each change.';
COMMENT ON COLUMN alert_states.updated_at IS 'Last change.';

CREATE TABLE alert_reports (
    server integer NOT NULL REFERENCES servers (key) ON DELETE CASCADE,
    pack text NOT NULL,
    active json NOT NULL,
    found bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (server, pack)
);
COMMENT ON TABLE alert_reports IS 'What packs keep of the latest report of each server.';
COMMENT ON COLUMN alert_reports.server IS 'The server.';
COMMENT ON COLUMN alert_reports.pack IS 'The pack.';
COMMENT ON COLUMN alert_reports.active IS 'The texts of what holds, or what is looked at again later.';
COMMENT ON COLUMN alert_reports.found IS 'How many alerts there were so far, recoveries included.';

CREATE TABLE alert_keys (
    key text PRIMARY KEY,
    last_fired timestamptz NOT NULL
);
COMMENT ON TABLE alert_keys IS 'What must not be told again too soon.';
COMMENT ON COLUMN alert_keys.key IS 'What it is.';
COMMENT ON COLUMN alert_keys.last_fired IS 'When it was last told.';

CREATE TABLE alert_silences (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner bigint REFERENCES users ON DELETE CASCADE,
    comment text NOT NULL,
    matcher json NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    weekly json,
    created_by bigint REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX alert_silences_owner ON alert_silences (owner);
COMMENT ON TABLE alert_silences IS 'When nobody is told of what: silences and quiet hours. Alerts fire and resolve all the same.';
COMMENT ON COLUMN alert_silences.id IS 'What it is ended by.';
COMMENT ON COLUMN alert_silences.owner IS 'The person whose alerts are meant; null: the fleet''s.';
COMMENT ON COLUMN alert_silences.comment IS 'Why.';
COMMENT ON COLUMN alert_silences.matcher IS 'Rules, servers, labels and severities that are meant.';
COMMENT ON COLUMN alert_silences.starts_at IS 'From when.';
COMMENT ON COLUMN alert_silences.ends_at IS 'Until when; null: for good.';
COMMENT ON COLUMN alert_silences.weekly IS 'Days, hours and time zone of quiet hours; null: all the time.';
COMMENT ON COLUMN alert_silences.created_by IS 'Who made it.';
COMMENT ON COLUMN alert_silences.created_at IS 'When.';

CREATE TABLE alert_notices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient bigint REFERENCES alert_recipients ON DELETE CASCADE,
    channel json,
    event bigint REFERENCES alert_events ON DELETE SET NULL,
    body json NOT NULL,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    finished_at timestamptz,
    last_error text,
    line text NOT NULL GENERATED ALWAYS AS (coalesce(recipient::text, channel ->> 'kind')) STORED,
    CHECK ((recipient IS NULL) <> (channel IS NULL))
);
CREATE INDEX alert_notices_line ON alert_notices (line, id) WHERE state = 'waiting';
CREATE INDEX alert_notices_recipient ON alert_notices (recipient, id);
CREATE INDEX alert_notices_event ON alert_notices (event) WHERE event IS NOT NULL;
CREATE INDEX alert_notices_finished ON alert_notices (finished_at) WHERE finished_at IS NOT NULL;
COMMENT ON TABLE alert_notices IS 'What people are to be told, and whether they were.';
COMMENT ON COLUMN alert_notices.id IS 'Grows with each.';
COMMENT ON COLUMN alert_notices.recipient IS 'Whom; null where the settings name a channel.';
COMMENT ON COLUMN alert_notices.channel IS 'The channel of the settings, as it was; holds secrets.';
COMMENT ON COLUMN alert_notices.event IS 'What it tells of; null where it tells of several, or of none.';
COMMENT ON COLUMN alert_notices.body IS 'What is told, before it takes the form of its channel.';
COMMENT ON COLUMN alert_notices.created_at IS 'When it was found.';
COMMENT ON COLUMN alert_notices.due_at IS 'When it is tried next.';
COMMENT ON COLUMN alert_notices.attempts IS 'How often it was tried.';
COMMENT ON COLUMN alert_notices.claimed_until IS 'Some node is at it until then.';
COMMENT ON COLUMN alert_notices.state IS 'Whether it arrived, or was given up.';
COMMENT ON COLUMN alert_notices.finished_at IS 'When it arrived or was given up.';
COMMENT ON COLUMN alert_notices.last_error IS 'Why it did not arrive, without secrets.';
COMMENT ON COLUMN alert_notices.line IS 'Those that go out one after the other: the recipient, or the kind of channel.';

CREATE TABLE alert_progress (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    judged_at timestamptz NOT NULL,
    rules_revision bigint NOT NULL DEFAULT 0
);
INSERT INTO alert_progress (judged_at) VALUES (now());
COMMENT ON TABLE alert_progress IS 'How far alerting is; one row.';
COMMENT ON COLUMN alert_progress.one IS 'Keeps it one row.';
COMMENT ON COLUMN alert_progress.judged_at IS 'What was committed up to then, by the writers'' clocks, has been judged.';
COMMENT ON COLUMN alert_progress.rules_revision IS 'Grows with each change of rules, recipients and silences, and when somebody acknowledges.';

CREATE FUNCTION rule_within_reach(owner bigint, servers uuid[], labels jsonb, reach jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT reach IS NULL
    OR (within_reach(owner, NULL, NULL, reach - 'servers' - 'labels')
        AND (reach -> 'servers' IS NULL OR to_jsonb(servers) <@ (reach -> 'servers'))
        AND (reach -> 'labels' IS NULL OR labels @> (reach -> 'labels')))
$$;
COMMENT ON FUNCTION rule_within_reach(bigint, uuid[], jsonb, jsonb) IS 'Whether a rule or silence with this owner, these servers (null: all) and these labels reaches no further than a caller. A null reach is everything.';

CREATE TABLE rejects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    sender text NOT NULL,
    address text,
    person bigint,
    server uuid,
    of_fleet boolean NOT NULL,
    dialect text NOT NULL,
    item bigint,
    code text NOT NULL,
    message text NOT NULL,
    raw bytea NOT NULL,
    raw_bytes bigint NOT NULL
);
CREATE INDEX rejects_at ON rejects (at, id);
COMMENT ON TABLE rejects IS 'Items that were refused, some of each request. Bounded by rows with each batch that is written, and by age. Without a foreign key, so that whoever is deleted does not wait for it.';
COMMENT ON COLUMN rejects.id IS 'Grows with the time it was written down.';
COMMENT ON COLUMN rejects.at IS 'When it was refused.';
COMMENT ON COLUMN rejects.sender IS 'Who sent it, in words; never a secret.';
COMMENT ON COLUMN rejects.address IS 'The address on the other end of the socket; none of lines that were refused after they were gathered.';
COMMENT ON COLUMN rejects.person IS 'The person who sent it, or on whose behalf a program did.';
COMMENT ON COLUMN rejects.server IS 'The server that the sender speaks for, where it speaks for one. Who reaches it is told of the reject.';
COMMENT ON COLUMN rejects.of_fleet IS 'Whether the sender reaches servers of the fleet and no others. Who reaches all of the fleet is told of the reject.';
COMMENT ON COLUMN rejects.dialect IS 'In what it came: json, influx, prometheus, otlp, graphite, statsd, import or report.';
COMMENT ON COLUMN rejects.item IS '0-based position in the request or import; of lines in the piece they came in. None of a body that was refused as a whole.';
COMMENT ON COLUMN rejects.code IS 'The stable reason.';
COMMENT ON COLUMN rejects.message IS 'The reason for people.';
COMMENT ON COLUMN rejects.raw IS 'The beginning of the item as it came, without what looks like a secret; empty where it cannot be found.';
COMMENT ON COLUMN rejects.raw_bytes IS 'How long the item is in all.';
