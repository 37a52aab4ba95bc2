-- Tables by month that are not as they should be: without the month of a moment, or with a part for all the rest.
-- $1 the moment.
SELECT relname AS name, CASE WHEN partdefid <> 0 THEN 'has a part for all the rest' ELSE 'has no part for ' || month END AS fault
FROM (SELECT relname, partdefid, to_char($1::timestamptz AT TIME ZONE 'UTC', 'YYYY_MM') AS month
      FROM pg_partitioned_table JOIN pg_class ON pg_class.oid = partrelid
      WHERE relnamespace = 'public'::regnamespace AND partstrat = 'r') AS monthly
WHERE partdefid <> 0 OR NOT EXISTS (
    SELECT FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid
    WHERE inhparent = to_regclass(quote_ident(monthly.relname)) AND part.relname = monthly.relname || '_' || month)
