-- The numbers of all servers within a reach. $1 the reach.
SELECT key FROM servers WHERE within_reach(owner, id, labels, $1::jsonb)
