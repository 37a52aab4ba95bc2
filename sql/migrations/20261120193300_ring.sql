-- How long a flush stays for the readers on other nodes is counted from its fold, not from the clock of its writer: one
-- that is minutes ahead, or was set back, would keep the ring from being emptied for as long.
CREATE TABLE journal_slots (
    slot smallint PRIMARY KEY,
    folded_at timestamptz NOT NULL
);
COMMENT ON TABLE journal_slots IS 'The parts of the journal''s ring. Changed by those who fold, under their lock.';
COMMENT ON COLUMN journal_slots.slot IS 'See journal.slot.';
COMMENT ON COLUMN journal_slots.folded_at IS 'When something that is in it was last folded, by the clock of the node that did.';
INSERT INTO journal_slots (slot, folded_at) VALUES (0, '-infinity'), (1, '-infinity'), (2, '-infinity'), (3, '-infinity');

CREATE OR REPLACE FUNCTION empty_journal_slot(emptied smallint, before timestamptz) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '100ms' AS $$
DECLARE
    part text := 'journal_' || emptied;
    is_done boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM journal_slots WHERE slot = emptied AND folded_at <= before) THEN
        RETURN false;
    END IF;
    FOR look IN 1..2 LOOP
        -- Sequences of a writer only grow, so its last row tells of all; no row at all is null.
        WITH RECURSIVE writer AS (
            (SELECT node, lane FROM journal WHERE slot = emptied ORDER BY node, lane LIMIT 1)
            UNION ALL
            SELECT later.node, later.lane
            FROM writer CROSS JOIN LATERAL (
                SELECT node, lane FROM journal
                WHERE slot = emptied AND (journal.node, journal.lane) > (writer.node, writer.lane)
                ORDER BY node, lane
                LIMIT 1) AS later
        )
        SELECT bool_and(newest.sequence <= coalesce(fold_marks.sequence, 0))
        INTO is_done
        FROM writer
        LEFT JOIN fold_marks USING (node, lane)
        CROSS JOIN LATERAL (
            SELECT sequence FROM journal
            WHERE slot = emptied AND journal.node = writer.node AND journal.lane = writer.lane
            ORDER BY sequence DESC
            LIMIT 1) AS newest;
        IF is_done IS NOT TRUE THEN
            RETURN false;
        END IF;
        -- The first look kept nobody waiting. What was written between it and the lock is seen by the second.
        IF look = 1 THEN
            BEGIN
                EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', part);
            EXCEPTION WHEN lock_not_available THEN
                RETURN false;
            END;
        END IF;
    END LOOP;
    EXECUTE format('TRUNCATE %I', part);
    RETURN true;
END
$$;
COMMENT ON FUNCTION empty_journal_slot(smallint, timestamptz) IS 'Empties a part of the journal when all that is in it was folded, the last of it up to a moment. Answers whether it was emptied. Gives up when the lock is not to be had at once.';
