-- Keeps the latest $3 of a server and kind.
DELETE FROM documents
WHERE server = $1 AND kind = $2 AND id <= (
    SELECT id FROM documents WHERE server = $1 AND kind = $2 ORDER BY id DESC OFFSET $3 LIMIT 1)
