DELETE FROM alert_recipients WHERE id = $1
