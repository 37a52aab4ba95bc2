-- Rows that cannot be read are put here by whoever moves data, so that their neighbours move on.
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
