SELECT (SELECT count(*) FROM series WHERE series.server = wanted.server) AS series
FROM unnest($1::int[]) WITH ORDINALITY AS wanted (server, place)
ORDER BY place
