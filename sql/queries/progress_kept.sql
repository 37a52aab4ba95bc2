UPDATE progress SET up_to = $1, runs = runs + 1 WHERE name = 'keep'
