-- Those whose owner or labels changed after $1, at most $2, in the order of their last change.
SELECT key, id, owner, labels, belonging FROM servers WHERE belonging > $1 ORDER BY belonging LIMIT $2
