-- Keeps the latest $2 outcomes of a check.
DELETE FROM port_results
WHERE port_check = $1 AND id <= (SELECT id FROM port_results WHERE port_check = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
