-- When and from where tokens were used. Several nodes may report the same one; the latest use stays. Rows are locked in
-- one order by all of them.
WITH used AS (
    SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::inet[]) AS used (id, at, address)
), locked AS MATERIALIZED (
    SELECT id FROM tokens WHERE id IN (SELECT id FROM used) ORDER BY id FOR NO KEY UPDATE
)
UPDATE tokens SET last_used = used.at, last_address = used.address
FROM used JOIN locked ON locked.id = used.id
WHERE tokens.id = used.id AND (last_used IS NULL OR last_used < used.at)
