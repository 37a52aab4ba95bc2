COPY rejects (at, sender, address, person, server, of_fleet, dialect, item, code, message, raw, raw_bytes)
    FROM STDIN (FORMAT binary)
