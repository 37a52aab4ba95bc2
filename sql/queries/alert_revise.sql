-- Whoever judges looks at rules, silences and acknowledged alerts anew. Those who change any of them take turns.
UPDATE alert_progress SET rules_revision = rules_revision + 1
