-- Everything a schema consists of, one line each. Positions of columns are left out: a migration can only append.
SELECT line FROM (
    SELECT format('%s %s, persistence %s, options %s, comment: %s',
        CASE class.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
            WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE class.relkind::text END,
        class.relname, class.relpersistence, class.reloptions, obj_description(class.oid, 'pg_class')) AS line
    FROM pg_class AS class
    WHERE class.relnamespace = 'public'::regnamespace AND class.relkind <> 'i'

    UNION ALL
    SELECT format('column %s.%s %s, not null %s, default %s, identity "%s", generated "%s", storage %s, collation %s, comment: %s',
        class.relname, attribute.attname, format_type(attribute.atttypid, attribute.atttypmod), attribute.attnotnull,
        pg_get_expr(value.adbin, value.adrelid), attribute.attidentity, attribute.attgenerated, attribute.attstorage,
        attribute.attcollation::regcollation, col_description(class.oid, attribute.attnum))
    FROM pg_attribute AS attribute
    JOIN pg_class AS class ON class.oid = attribute.attrelid
    LEFT JOIN pg_attrdef AS value ON value.adrelid = class.oid AND value.adnum = attribute.attnum
    WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p', 'v', 'm')
      AND attribute.attnum > 0 AND NOT attribute.attisdropped

    UNION ALL
    SELECT format('index %s, options %s, comment: %s',
        pg_get_indexdef(class.oid), class.reloptions, obj_description(class.oid, 'pg_class'))
    FROM pg_class AS class
    WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('i', 'I')

    UNION ALL
    SELECT format('constraint %s of %s %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace

    UNION ALL
    SELECT format('sequence %s counts %s from %s by %s between %s and %s, cache %s, cycle %s',
        seqrelid::regclass, seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
    FROM pg_sequence

    UNION ALL
    SELECT format('table %s is parted by %s', relid::regclass, pg_get_partkeydef(relid))
    FROM (SELECT partrelid AS relid FROM pg_partitioned_table) AS parted

    UNION ALL
    SELECT format('table %s is a part of %s %s',
        class.relname, inhparent::regclass, pg_get_expr(class.relpartbound, class.oid))
    FROM pg_class AS class
    JOIN pg_inherits ON inhrelid = class.oid
    WHERE class.relnamespace = 'public'::regnamespace AND class.relkind = 'r'

    UNION ALL
    SELECT format('view %s %s', class.relname, pg_get_viewdef(class.oid))
    FROM pg_class AS class
    WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('v', 'm')

    UNION ALL
    SELECT format('function %s, comment: %s', pg_get_functiondef(oid), obj_description(oid, 'pg_proc'))
    FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')

    UNION ALL
    SELECT format('trigger %s, comment: %s', pg_get_triggerdef(oid), obj_description(oid, 'pg_trigger'))
    FROM pg_trigger WHERE NOT tgisinternal
) AS lines
ORDER BY line
