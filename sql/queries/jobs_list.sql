SELECT name, started_at, ended_at, rows, error, node, succeeded_at, running_since, running_on FROM jobs ORDER BY name
