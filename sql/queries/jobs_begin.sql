-- Says that a job runs, unless another node says so. $1 name, $2 now, $3 node, $4 whoever began before this was killed.
INSERT INTO jobs (name, running_since, running_on) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET running_since = excluded.running_since, running_on = excluded.running_on
WHERE jobs.running_since IS NULL OR jobs.running_since < $4
