-- Those with one of these ids, and what they are judged by. $1 the ids.
SELECT key, id, owner, labels, belonging FROM servers WHERE id = ANY ($1)
