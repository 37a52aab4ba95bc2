COPY journal (node, lane, slot, sequence, part, series_min, series_max, time_min, time_max, samples, committed_at, block)
FROM STDIN (FORMAT binary)
