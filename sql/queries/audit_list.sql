SELECT id, at, actor, user_id, action, subject, details, address
FROM audit
WHERE at >= $1 AND at <= $2 AND (at, id) < ($3, $4)
  AND ($5::bigint IS NULL OR user_id = $5) AND ($6::text IS NULL OR action = $6 OR starts_with(action, $6 || '.'))
ORDER BY at DESC, id DESC LIMIT $7
