DELETE FROM refresh_tokens
WHERE jti IN (SELECT jti FROM refresh_tokens WHERE user_id = $1 ORDER BY expires_at DESC, jti OFFSET $2)
