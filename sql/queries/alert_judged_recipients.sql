SELECT id, owner FROM alert_recipients WHERE enabled ORDER BY id LIMIT $1
