-- The chat that person $1 has set for themselves.
SELECT id FROM alert_recipients WHERE owner = $1 AND is_own_telegram AND enabled
