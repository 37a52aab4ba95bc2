COPY samples (series, start, count, seconds, packed)
FROM STDIN (FORMAT binary)
