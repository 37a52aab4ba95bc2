SELECT node, lane, max(sequence) AS sequence FROM journal GROUP BY node, lane
