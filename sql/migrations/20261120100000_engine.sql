-- The catalog, the journal and the latest-state documents.

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
    sequence bigint NOT NULL,
    part smallint NOT NULL,
    series_min integer NOT NULL,
    series_max integer NOT NULL,
    time_min timestamptz NOT NULL,
    time_max timestamptz NOT NULL,
    samples integer NOT NULL,
    committed_at timestamptz NOT NULL,
    block bytea NOT NULL,
    PRIMARY KEY (node, lane, sequence, part)
);
-- Blocks are packed already, so PostgreSQL need not try to compress them; and they stay in the row up to a page, which
-- spares small ones the detour through the TOAST table and its index.
ALTER TABLE journal ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE journal SET (toast_tuple_target = 8160);
-- A page of blocks follows the one before in exactly this order, so no page needs a sort.
CREATE INDEX journal_time_max ON journal (time_max, node, lane, sequence, part);
CREATE INDEX journal_time_min ON journal (time_min, node, lane, sequence, part);
COMMENT ON TABLE journal IS 'What a commit writes: packed blocks of samples, sorted by series and time.';
COMMENT ON COLUMN journal.node IS 'The process that wrote the row.';
COMMENT ON COLUMN journal.lane IS 'The writer within the process.';
COMMENT ON COLUMN journal.sequence IS 'Counts the flushes of a lane from one. A number is missing only when PostgreSQL refused its flush for good.';
COMMENT ON COLUMN journal.part IS 'Counts the blocks of a flush from zero.';
COMMENT ON COLUMN journal.series_min IS 'The smallest series id in the block.';
COMMENT ON COLUMN journal.series_max IS 'The largest series id in the block.';
COMMENT ON COLUMN journal.time_min IS 'The earliest sample in the block.';
COMMENT ON COLUMN journal.time_max IS 'The latest sample in the block.';
COMMENT ON COLUMN journal.samples IS 'How many samples the block holds.';
COMMENT ON COLUMN journal.committed_at IS 'The node''s clock when it wrote the flush. Of two samples with the same series and time the later flush wins.';
COMMENT ON COLUMN journal.block IS 'The samples, packed and checksummed.';

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
