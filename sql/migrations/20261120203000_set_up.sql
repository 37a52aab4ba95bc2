-- A code that sets up the first administrator is told from an invitation of somebody who has no row of their own.

ALTER TABLE invites ADD COLUMN sets_up boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN invites.sets_up IS 'Good only while there is no administrator.';
COMMENT ON COLUMN invites.created_by IS 'Who invited, where it was a person.';
