-- Processes keep whose a server is, and its labels; this is how they learn that either changed.

ALTER TABLE catalog_revision ADD COLUMN belongings bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN catalog_revision.belongings IS 'Counts the changes of owners and labels of servers. Who reads a new number sees them done.';

ALTER TABLE servers ADD COLUMN belonging bigint NOT NULL DEFAULT 0;
CREATE INDEX servers_belonging ON servers (belonging) WHERE belonging > 0;
COMMENT ON COLUMN servers.belonging IS 'The count at the last change of its owner or labels; 0: none since it was added.';

-- The row of the counter is locked until the change is committed, so numbers come to light in their order.
CREATE FUNCTION count_belonging() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_revision SET belongings = belongings + 1 RETURNING belongings INTO NEW.belonging;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION count_belonging() IS 'Tells every process to judge a server anew.';

CREATE TRIGGER servers_belonging BEFORE UPDATE OF owner, labels ON servers FOR EACH ROW
    WHEN (OLD.owner IS DISTINCT FROM NEW.owner OR OLD.labels IS DISTINCT FROM NEW.labels)
    EXECUTE FUNCTION count_belonging();
COMMENT ON TRIGGER servers_belonging ON servers IS 'Moves catalog_revision.belongings on.';

-- The same, said so that the planner sees what is left of it once the reach is known: for who has no more than their own
-- servers, an owner that an index finds.
CREATE OR REPLACE FUNCTION within_reach(owner bigint, id uuid, labels jsonb, reach jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT reach IS NULL
    OR ((owner IS NULL AND (reach ->> 'fleet')::boolean IS TRUE
         OR owner IS NOT NULL AND (reach ->> 'everyone')::boolean IS TRUE
         OR owner = (reach ->> 'owner')::bigint)
        AND (reach -> 'servers' IS NULL OR reach -> 'servers' ? id::text)
        AND (reach -> 'labels' IS NULL OR labels @> (reach -> 'labels')))
$$;
