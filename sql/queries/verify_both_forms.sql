-- Hours that are kept both as samples and as minutes. $1 how many at most.
SELECT minutes.series, minutes.start
FROM rollup_1m AS minutes
WHERE EXISTS (
    SELECT FROM samples
    WHERE samples.series = minutes.series
      AND samples.start >= minutes.start AND samples.start < minutes.start + interval '1 hour')
LIMIT $1
