SELECT EXISTS (SELECT FROM users WHERE role = 'admin') AS has_admin
