-- What has expired for good is written down, so that readers can tell it from what never was.
INSERT INTO progress (name, up_to, runs) VALUES ('gone', '-infinity', 0);
COMMENT ON COLUMN progress.name IS 'fold, seal, day, keep or gone.';
COMMENT ON COLUMN progress.up_to IS 'seal: windows before this have left recent, but for late data. day: rollup_1h holds every day before this. fold: when the last fold was. keep: the last hour in which everything was looked through for what has expired. gone: of no series anything before this is kept in any form.';
