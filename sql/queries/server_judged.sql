-- Those whose owner, labels or host name changed after $1, at most $2, in the order of their last change.
SELECT key, id, owner, labels, belonging, hostname FROM servers WHERE belonging > $1 ORDER BY belonging LIMIT $2
