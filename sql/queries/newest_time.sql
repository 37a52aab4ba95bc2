-- A time that no stored sample is after, though many may be before; null when there is none at all.
SELECT greatest(
    (SELECT max(time_max) FROM journal),
    (SELECT max(samples_reach(start, seconds)) FROM recent),
    (SELECT max(start) FROM samples) + interval '1 hour') AS newest
