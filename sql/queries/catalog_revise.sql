-- Tells every process that something was removed from the catalog.
UPDATE catalog_revision SET revision = revision + 1
