ALTER TABLE nodes ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();
COMMENT ON COLUMN nodes.token IS 'What the process knows its row by. When the database is set back to an earlier state, another process may be given the same number, but not the same token.';
