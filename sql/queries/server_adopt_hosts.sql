-- Adds servers of which nothing but the hostname is known, those that others are adding now excepted. Everyone adds in
-- the same order, so that nobody waits in a circle.
INSERT INTO servers (hostname, ip_address)
SELECT hostname, '0.0.0.0' FROM unnest($1::text[]) AS new (hostname) ORDER BY hostname
ON CONFLICT (hostname) WHERE owner IS NULL DO NOTHING
