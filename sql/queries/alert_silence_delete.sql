DELETE FROM alert_silences WHERE id = $1
