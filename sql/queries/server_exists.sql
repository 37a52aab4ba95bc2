SELECT EXISTS (SELECT FROM servers WHERE hostname = $1) AS registered
