-- The history of migrations is made by the program itself, before the first of them runs; here it is described.

COMMENT ON TABLE migrations IS 'The migrations that have been applied to this database.';
COMMENT ON COLUMN migrations.name IS 'The file, without its ending; begins with the time it was written.';
COMMENT ON COLUMN migrations.checksum IS 'CRC-32 of the file: a migration that was changed afterwards is refused.';
COMMENT ON COLUMN migrations.applied_at IS 'When it was applied.';
