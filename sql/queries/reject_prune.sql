DELETE FROM rejects WHERE id <= (SELECT max(id) FROM rejects) - $1::bigint
