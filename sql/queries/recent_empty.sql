SELECT empty_recent($1) AS emptied
