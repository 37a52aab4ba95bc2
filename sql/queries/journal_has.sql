-- The time tells a flush from another one that was given the same number.
SELECT EXISTS (
    SELECT FROM journal WHERE node = $1 AND lane = $2 AND sequence = $3 AND committed_at = $4) AS committed
