-- What a pack keeps of a server's latest report; nobody else changes it until the end of the transaction.
SELECT active FROM alert_reports WHERE server = $1 AND pack = $2 FOR UPDATE
