-- Parts that were moved, by where they were in slot $1. Nobody else moves them meanwhile.
DELETE FROM recent WHERE slot = $1 AND ctid = ANY ($2)
