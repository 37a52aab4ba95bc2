-- First use of agents' tokens. Answers which of $1 are activated now, by whomever: not those that were replaced, revoked
-- or ran out before $2. Rows are locked in one order by all nodes.
WITH locked AS MATERIALIZED (
    SELECT id FROM tokens WHERE hash = ANY ($1) ORDER BY id FOR NO KEY UPDATE
)
UPDATE tokens SET activated_at = coalesce(activated_at, $2)
FROM locked
WHERE tokens.id = locked.id AND revoked_at IS NULL AND (activated_at IS NOT NULL OR expires_at > $2)
RETURNING hash
