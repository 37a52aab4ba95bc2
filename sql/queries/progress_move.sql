-- $1 whose; $2 up to where.
UPDATE progress SET up_to = $2, runs = runs + 1 WHERE name = $1
