COPY recent (slot, fold, series, start, count, seconds, packed)
FROM STDIN (FORMAT binary)
