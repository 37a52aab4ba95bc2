SELECT count(*) AS servers FROM servers
