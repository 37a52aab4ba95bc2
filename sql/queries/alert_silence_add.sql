-- None when its owner has $9 that have not ended.
INSERT INTO alert_silences (owner, comment, matcher, starts_at, ends_at, weekly, created_by, created_at)
SELECT $1, $2, $3::text::json, $4, $5, $6::text::json, $7, $8
WHERE (SELECT count(*) FROM alert_silences
    WHERE owner IS NOT DISTINCT FROM $1 AND (ends_at IS NULL OR ends_at > $8)) < $9
RETURNING id
