-- What was refused, for those who look for the reason.
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
