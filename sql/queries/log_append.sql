COPY logs (server, at, source, level, message) FROM STDIN (FORMAT binary)
