DELETE FROM invites WHERE id = $1 AND used_at IS NULL
