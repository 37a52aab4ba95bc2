-- What is no number: events, log lines, and documents that describe how things are.

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
    body jsonb NOT NULL
);
CREATE INDEX documents_latest ON documents (server, kind, id DESC);
COMMENT ON TABLE documents IS 'Documents that say how a server is: the latest few of each server and kind.';
COMMENT ON COLUMN documents.id IS 'Grows with arrival.';
COMMENT ON COLUMN documents.server IS 'The server it describes.';
COMMENT ON COLUMN documents.kind IS 'What of the server it describes, in the sender''s words.';
COMMENT ON COLUMN documents.taken_at IS 'The sender''s time.';
COMMENT ON COLUMN documents.body IS 'The document.';
