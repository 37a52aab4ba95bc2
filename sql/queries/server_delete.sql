DELETE FROM servers WHERE id = $1
