-- Takes back that a job runs: another node was at it. $1 name, $2 node.
UPDATE jobs SET running_since = NULL, running_on = NULL WHERE name = $1 AND running_on = $2
