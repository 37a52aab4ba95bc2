-- A server that is called otherwise is as new to the other processes as one with another owner.
DROP TRIGGER servers_belonging ON servers;
CREATE TRIGGER servers_belonging BEFORE UPDATE OF owner, labels, hostname ON servers FOR EACH ROW
    WHEN (OLD.owner IS DISTINCT FROM NEW.owner OR OLD.labels IS DISTINCT FROM NEW.labels
        OR OLD.hostname IS DISTINCT FROM NEW.hostname)
    EXECUTE FUNCTION count_belonging();
COMMENT ON TRIGGER servers_belonging ON servers IS 'Moves catalog_revision.belongings on.';
COMMENT ON COLUMN servers.belonging IS
    'The count at the last change of its owner, labels or host name; 0: none since it was added.';
COMMENT ON COLUMN catalog_revision.belongings IS
    'Counts the changes of owners, labels and host names of servers. Who reads a new number sees them done.';
