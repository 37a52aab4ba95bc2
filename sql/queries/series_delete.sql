-- Removes series. $1 their ids.
DELETE FROM series WHERE id = ANY ($1)
