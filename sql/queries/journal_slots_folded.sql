-- Something in these parts of the ring is being folded. $1 slots, $2 now.
UPDATE journal_slots SET folded_at = $2 WHERE slot = ANY ($1)
