-- Whether a server with hostname $1 may be registered when at most $2 may exist: a known one always.
SELECT EXISTS (SELECT FROM servers WHERE hostname = $1 AND owner IS NULL) OR (SELECT count(*) FROM servers) < $2 AS room
