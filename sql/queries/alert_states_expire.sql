-- Of two who write one row the later one counts: a row that was judged anew meanwhile stays.
DELETE FROM alert_states
WHERE (rule, series) IN (
        SELECT rule, series FROM alert_states WHERE phase = 'resolved' AND updated_at < $1 ORDER BY updated_at LIMIT $2)
    AND phase = 'resolved' AND updated_at < $1
