-- Counts a transaction of the job $1, which may have got up to $2; never back.
UPDATE progress SET up_to = greatest(up_to, $2), runs = runs + 1 WHERE name = $1
