-- The Telegram chat that a person has set by POST /recipient.
SELECT id, owner, name, kind, target, enabled, is_own_telegram, created_at, updated_at, last_success,
    last_failure, last_error
FROM alert_recipients WHERE owner = $1 AND is_own_telegram
