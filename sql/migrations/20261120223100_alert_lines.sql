-- Notices stand in lines, one for each recipient, and go out in their order.

ALTER TABLE alert_notices
    ADD COLUMN line text NOT NULL GENERATED ALWAYS AS (coalesce(recipient::text, channel ->> 'kind')) STORED;
COMMENT ON COLUMN alert_notices.line IS 'Those that go out one after the other: the recipient, or the kind of channel.';
CREATE INDEX alert_notices_line ON alert_notices (line, id) WHERE state = 'waiting';
DROP INDEX alert_notices_waiting;
