-- How far each writer has been folded.
SELECT node, lane, sequence FROM fold_marks
