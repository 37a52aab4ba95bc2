-- $1 name, $2 when it began, $3 now, $4 rows, $5 error, $6 node.
INSERT INTO jobs (name, started_at, ended_at, rows, error, node, succeeded_at)
VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $5::text IS NULL THEN $2::timestamptz END)
ON CONFLICT (name) DO UPDATE SET
    started_at = excluded.started_at, ended_at = excluded.ended_at, rows = excluded.rows, error = excluded.error,
    node = excluded.node, succeeded_at = coalesce(excluded.succeeded_at, jobs.succeeded_at),
    running_since = NULL, running_on = NULL
