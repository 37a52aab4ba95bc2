-- Alerting: what is watched, how each watched series stands, what happened, who is told, and what is still to be told.

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
    PRIMARY KEY (server, pack)
);
COMMENT ON TABLE alert_reports IS 'What packs that judge whole reports found in the latest one of each server.';
COMMENT ON COLUMN alert_reports.server IS 'The server.';
COMMENT ON COLUMN alert_reports.pack IS 'The pack.';
COMMENT ON COLUMN alert_reports.active IS 'The texts of what it found.';

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
    CHECK ((recipient IS NULL) <> (channel IS NULL))
);
CREATE INDEX alert_notices_waiting ON alert_notices (due_at) WHERE state = 'waiting';
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
