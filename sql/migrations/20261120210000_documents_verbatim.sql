-- Documents are handed out as they came: member order, spelling of numbers and all.
ALTER TABLE documents ALTER COLUMN body TYPE json USING body::json;
COMMENT ON COLUMN documents.body IS 'The document, as it came.';
