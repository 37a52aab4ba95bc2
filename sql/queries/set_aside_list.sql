-- What was set aside last, without its bytes. $1 how many.
SELECT level, place::text AS place, reason, found_by, found_at FROM set_aside ORDER BY id DESC LIMIT $1
