SELECT wanted.place::int AS place, series.id
FROM unnest($1::int[], $2::bytea[]) WITH ORDINALITY AS wanted (server, identity, place)
JOIN series ON series.server = wanted.server AND series.identity = wanted.identity
