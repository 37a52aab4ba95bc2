SELECT empty_journal_slot($1, $2) AS emptied
