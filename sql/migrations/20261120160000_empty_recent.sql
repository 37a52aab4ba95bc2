CREATE FUNCTION empty_recent(slot integer) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
    part text := 'recent_' || slot;
    has_rows boolean;
BEGIN
    IF pg_relation_size(part::regclass) = 0 THEN
        RETURN false;
    END IF;
    -- Looked at first without keeping anyone out, then again without new rows coming in; readers wait for the rest only.
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', part) INTO has_rows;
    IF has_rows THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', part);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', part) INTO has_rows;
    IF has_rows THEN
        RETURN false;
    END IF;
    EXECUTE format('TRUNCATE %I', part);
    RETURN true;
END
$$;
COMMENT ON FUNCTION empty_recent(integer) IS 'Gives the space of a part of recent back when no row is left in it. Answers whether there was anything to do. Fails when the table is not free within a moment.';
