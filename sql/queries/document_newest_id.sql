-- The number of the newest document of all.
SELECT coalesce(max(id), 0) AS id FROM documents
