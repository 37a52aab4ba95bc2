-- Those of these servers that are within a reach. $1 the servers, $2 the reach.
SELECT key FROM servers WHERE key = ANY($1::integer[]) AND within_reach(owner, id, labels, $2::jsonb)
