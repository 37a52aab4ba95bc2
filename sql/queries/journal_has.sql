SELECT EXISTS (SELECT FROM journal WHERE node = $1 AND lane = $2 AND sequence = $3) AS committed
