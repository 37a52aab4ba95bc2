SELECT count(*) AS rows FROM set_aside
