-- Counts a fold and answers its number. $1 now.
UPDATE progress SET up_to = $1, runs = runs + 1 WHERE name = 'fold' RETURNING runs
