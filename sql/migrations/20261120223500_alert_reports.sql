-- Packs that judge whole reports count what they found, and remember what is looked at later.

ALTER TABLE alert_reports ADD COLUMN found bigint NOT NULL DEFAULT 0;
COMMENT ON TABLE alert_reports IS 'What packs keep of the latest report of each server.';
COMMENT ON COLUMN alert_reports.active IS 'The texts of what holds, or what is looked at again later.';
COMMENT ON COLUMN alert_reports.found IS 'How many alerts there were so far, recoveries included.';
