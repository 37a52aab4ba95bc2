-- How many of these recipients are this owner's.
SELECT count(*) FROM alert_recipients WHERE id = ANY ($1) AND owner IS NOT DISTINCT FROM $2
