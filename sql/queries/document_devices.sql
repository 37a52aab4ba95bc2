-- How many servers have a document of a kind, $3 at most. $1 kind, $2 the reach.
SELECT count(*) AS devices FROM (
    SELECT FROM servers
    WHERE EXISTS (SELECT FROM documents WHERE documents.server = servers.key AND kind = $1)
        AND within_reach(owner, id, labels, $2::jsonb)
    LIMIT $3) AS reporting
