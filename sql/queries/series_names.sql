-- The next series by id, with what retention goes by. $1 after this id; $2 at most so many.
SELECT series.id, metric_type, metric_name, hostname
FROM series JOIN servers ON servers.key = series.server
WHERE series.id > $1
ORDER BY series.id
LIMIT $2
