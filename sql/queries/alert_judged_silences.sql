SELECT owner, matcher, starts_at, ends_at, weekly FROM alert_silences
WHERE ends_at IS NULL OR ends_at > $1
ORDER BY id
LIMIT $2
