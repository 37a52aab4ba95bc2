SELECT expire_month($1, $2) AS is_part
