SELECT make_month($1, $2) AS made
