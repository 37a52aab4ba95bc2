-- Tells every process that something was removed which it may keep in memory.
UPDATE catalog_revision SET revision = revision + 1
