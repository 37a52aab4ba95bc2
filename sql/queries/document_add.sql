-- The body comes as text. $1 server, $2 kind, $3 when it was taken, $4 body.
INSERT INTO documents (server, kind, taken_at, body) VALUES ($1, $2, $3, $4::text::json) RETURNING id
