DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE expires_at <= $1 LIMIT $2)
