COPY events (server, at, kind, severity, title, attributes) FROM STDIN (FORMAT binary)
