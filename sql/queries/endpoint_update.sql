-- A null parameter leaves its column as it is. The server of an endpoint has its host name.
WITH endpoint AS (
    UPDATE agents SET name = coalesce($2, name), machine_id = coalesce($3, machine_id),
        is_active = coalesce($4, is_active)
    WHERE id = $1 AND owner IS NULL
    RETURNING server
), renamed AS (
    UPDATE servers SET hostname = $2, updated_at = now() FROM endpoint WHERE key = server AND $2 IS NOT NULL
)
SELECT server FROM endpoint
