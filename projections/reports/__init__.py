"""Reports: DuckDB over the archive and the log's newest events, each KPI one SQL file."""
