SELECT drop_month($1, $2) AS dropped
