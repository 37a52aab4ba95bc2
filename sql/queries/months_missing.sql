-- What cannot be written: $1 tables, $2 a moment of each month that each of them should have.
SELECT parent, moment
FROM unnest($1::text[]) AS parent CROSS JOIN unnest($2::timestamptz[]) AS moment
WHERE NOT EXISTS (SELECT FROM months WHERE name = month_table(parent, moment) AND is_part)
ORDER BY moment, parent
