-- The server behind a number that clients know it by: an agent's own, or else that of a server of the fleet. $1 the
-- number, $2 the reach.
WITH of_agent AS (
    SELECT server FROM agents WHERE id = $1
)
SELECT id FROM servers
WHERE (key = (SELECT server FROM of_agent)
       OR (key = $1 AND owner IS NULL AND NOT EXISTS (SELECT FROM of_agent)))
  AND within_reach(owner, id, labels, $2::jsonb)
