-- The tables of one table's months, oldest first: its parts, and those that are to be dropped. $1 the table.
SELECT month, is_part FROM months WHERE parent = $1 AND (is_part OR is_expired) ORDER BY month
