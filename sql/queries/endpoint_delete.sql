-- Its server stays, with all that was sent.
DELETE FROM agents WHERE id = $1 AND owner IS NULL RETURNING name
