-- Those of the fleet with one of these host names. $1 the names.
SELECT key, id, owner, labels, belonging, hostname FROM servers WHERE hostname = ANY ($1) AND owner IS NULL
