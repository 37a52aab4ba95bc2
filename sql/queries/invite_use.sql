UPDATE invites SET used_by = $2, used_at = $3 WHERE id = $1
