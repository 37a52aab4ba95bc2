-- Before the first look at data of a transaction that keeps its view: a table emptied after that would look empty to it.
LOCK TABLE journal, recent IN ACCESS SHARE MODE
