SELECT count(*) FROM invites WHERE used_at IS NULL AND expires_at > $1
