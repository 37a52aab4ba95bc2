-- Something to hold, for the first report of a server.
INSERT INTO alert_reports (server, pack, active) VALUES ($1, $2, '[]') ON CONFLICT (server, pack) DO NOTHING
