-- What was told so long ago that it says nothing any more.
DELETE FROM alert_keys WHERE last_fired < $1
