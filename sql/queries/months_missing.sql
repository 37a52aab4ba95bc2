-- What cannot be written: $1 tables, $2 a moment of each month that each of them should have.
SELECT wanted, moment
FROM unnest($1::text[]) AS wanted CROSS JOIN unnest($2::timestamptz[]) AS moment
WHERE NOT EXISTS (SELECT FROM months WHERE months.name = month_table(wanted, moment) AND months.is_part)
ORDER BY moment, wanted
