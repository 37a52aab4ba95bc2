-- Half of a SHA-256 tells the series of a server apart as well, and takes half the room in the table and its index. The
-- constraint refuses the whole ones of nodes of the version before: they would be second series beside those there.
ALTER TABLE series ALTER COLUMN identity TYPE bytea USING substring(identity FROM 1 FOR 16);
ALTER TABLE series ADD CONSTRAINT series_identity_check CHECK (length(identity) <= 16);
COMMENT ON COLUMN series.identity IS 'The first 16 bytes of the SHA-256 of type, name and sorted labels: long labels do not fit an index themselves.';
