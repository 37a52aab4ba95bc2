-- Processes keep the catalog in memory; this is how they learn that something was removed from it.

CREATE TABLE catalog_revision (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    revision bigint NOT NULL
);
INSERT INTO catalog_revision (revision) VALUES (1);
COMMENT ON TABLE catalog_revision IS 'One row. A sequence would not do: its number can be read before the change it stands for.';
COMMENT ON COLUMN catalog_revision.is_only IS 'Keeps the table at one row.';
COMMENT ON COLUMN catalog_revision.revision IS 'Counts the statements that deleted servers. Who reads a new number sees the servers gone.';

CREATE FUNCTION count_catalog_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_revision SET revision = revision + 1 WHERE EXISTS (SELECT FROM gone);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION count_catalog_revision() IS 'Tells every process that servers were deleted, by whomever.';

CREATE TRIGGER servers_deleted AFTER DELETE ON servers
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_catalog_revision();
COMMENT ON TRIGGER servers_deleted ON servers IS 'Moves catalog_revision on.';
