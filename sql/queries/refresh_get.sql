SELECT family, user_id, expires_at, revoked_at FROM refresh_tokens WHERE jti = $1
