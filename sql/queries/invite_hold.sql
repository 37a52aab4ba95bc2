SELECT id, role, sets_up FROM invites WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 FOR UPDATE
