UPDATE alert_progress SET judged_at = $1
