-- Those of the keys that were not told of since $3, and are now, at $2. Of two nodes that ask at once one gets them: the
-- other waits for it, and sees what it wrote.
INSERT INTO alert_keys (key, last_fired)
SELECT asked.key, $2 FROM unnest($1::text[]) AS asked (key) ORDER BY asked.key
ON CONFLICT (key) DO UPDATE SET last_fired = excluded.last_fired WHERE alert_keys.last_fired <= $3
RETURNING key
