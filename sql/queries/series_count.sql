SELECT count(*) AS series FROM series
