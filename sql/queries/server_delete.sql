-- $1 the id, $2 the reach.
DELETE FROM servers WHERE id = $1 AND within_reach(owner, id, labels, $2::jsonb)
