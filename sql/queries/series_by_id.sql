SELECT series.id, series.server, servers.id AS server_id, metric_type, metric_name, series.labels
FROM series JOIN servers ON servers.key = series.server
WHERE series.id = ANY ($1)
