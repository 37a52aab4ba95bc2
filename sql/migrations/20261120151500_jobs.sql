-- What the jobs need to be told of each other, and how the ring of the journal is emptied.
ALTER TABLE fold_marks ADD COLUMN moved_at timestamptz NOT NULL DEFAULT '-infinity';
COMMENT ON COLUMN fold_marks.moved_at IS 'When the mark last moved. One that stood still for long, of a writer without rows in the journal, is forgotten.';

ALTER TABLE jobs
    ALTER COLUMN started_at DROP NOT NULL,
    ALTER COLUMN node DROP NOT NULL,
    ADD COLUMN succeeded_at timestamptz,
    ADD COLUMN running_since timestamptz,
    ADD COLUMN running_on integer;
COMMENT ON TABLE jobs IS 'The last run of each job, on whichever node it was, and the one that goes on now.';
COMMENT ON COLUMN jobs.started_at IS 'When the last run that has ended began.';
COMMENT ON COLUMN jobs.ended_at IS 'When it ended.';
COMMENT ON COLUMN jobs.node IS 'The node that ran it.';
COMMENT ON COLUMN jobs.succeeded_at IS 'When the last run that did not fail began: what had to be done then is done.';
COMMENT ON COLUMN jobs.running_since IS 'When the run that goes on now began. When its node was killed it stays until the next run ends.';
COMMENT ON COLUMN jobs.running_on IS 'The node it runs on.';

CREATE FUNCTION empty_journal_slot(emptied smallint, before timestamptz) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '100ms' AS $$
DECLARE
    part text := 'journal_' || emptied;
    is_done boolean;
BEGIN
    FOR look IN 1..2 LOOP
        -- Sequences and times of a writer only grow, so its last row tells of all; no row at all is null.
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
        SELECT bool_and(newest.sequence <= coalesce(fold_marks.sequence, 0) AND newest.committed_at <= before)
        INTO is_done
        FROM writer
        LEFT JOIN fold_marks USING (node, lane)
        CROSS JOIN LATERAL (
            SELECT sequence, committed_at FROM journal
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
COMMENT ON FUNCTION empty_journal_slot(smallint, timestamptz) IS 'Empties a part of the journal when all that is in it was folded, and committed up to a moment. Answers whether it was emptied. Gives up when the lock is not to be had at once.';
