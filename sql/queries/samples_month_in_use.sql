-- Whether a series that is there has samples in a stretch of time. $1 from; $2 before.
SELECT EXISTS (
    SELECT FROM series
    WHERE EXISTS (SELECT FROM samples WHERE samples.series = series.id AND start >= $1 AND start < $2)) AS in_use
