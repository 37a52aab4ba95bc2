-- Those of some series that exist. $1 their ids.
SELECT id FROM series WHERE id = ANY ($1)
