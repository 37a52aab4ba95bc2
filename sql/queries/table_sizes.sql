-- What tables take on disk with all their parts and indexes, and how many of their rows are dead. $1 their names.
SELECT listed.name,
       coalesce(sum(pg_total_relation_size(part.oid)), 0)::bigint AS bytes,
       coalesce(sum(pg_stat_get_dead_tuples(part.oid)), 0)::bigint AS dead_rows
FROM unnest($1::text[]) AS listed (name)
JOIN pg_class AS whole ON whole.oid = to_regclass(quote_ident(listed.name))
LEFT JOIN LATERAL pg_partition_tree(whole.oid) AS tree ON tree.isleaf
LEFT JOIN pg_class AS part ON part.oid = coalesce(tree.relid::oid, whole.oid)
GROUP BY listed.name
