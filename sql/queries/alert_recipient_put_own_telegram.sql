INSERT INTO alert_recipients (owner, name, kind, target, enabled, is_own_telegram, created_at, updated_at)
VALUES ($1, 'Telegram', 'telegram', $2::text::json, $3, true, $4, $4)
ON CONFLICT (owner) WHERE is_own_telegram DO UPDATE SET
    target = excluded.target, enabled = excluded.enabled, updated_at = excluded.updated_at
RETURNING id, owner, name, kind, target, enabled, is_own_telegram, created_at, updated_at, last_success,
    last_failure, last_error
