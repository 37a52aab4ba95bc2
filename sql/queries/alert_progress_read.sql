SELECT judged_at, rules_revision FROM alert_progress
