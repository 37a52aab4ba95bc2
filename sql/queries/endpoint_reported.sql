-- What an endpoint says of itself overwrites what is known of it, as far as no other has that name or that machine.
-- $1 its server, $2 host name, $3 machine id (empty: not said), $4 interval in seconds. Nothing is written when nothing
-- is new; the row says whether its host name is.
WITH endpoint AS (
    SELECT agents.id, agents.server, agents.name,
        NOT EXISTS (SELECT FROM servers WHERE hostname = $2 AND owner IS NULL) AS is_free,
        nullif($3, '') AS said
    FROM agents JOIN servers ON servers.key = agents.server
    WHERE servers.id = $1 AND agents.owner IS NULL
), news AS (
    SELECT id, server, CASE WHEN is_free THEN $2 ELSE name END AS name, is_free,
        CASE WHEN NOT EXISTS (SELECT FROM agents WHERE machine_id = said) THEN said END AS machine_id
    FROM endpoint
), changed AS (
    UPDATE agents SET name = news.name, machine_id = coalesce(news.machine_id, agents.machine_id),
        interval_seconds = $4
    FROM news
    WHERE agents.id = news.id AND (news.is_free OR news.machine_id IS NOT NULL OR interval_seconds IS DISTINCT FROM $4)
    RETURNING news.server, news.is_free
), renamed AS (
    UPDATE servers SET hostname = $2, updated_at = now() FROM changed WHERE key = changed.server AND changed.is_free
)
SELECT is_free AS is_renamed FROM changed
