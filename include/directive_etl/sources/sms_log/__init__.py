"""SMS logs of the telecom operators: landed as sent, read by DuckDB in one scan, counted per day and campaign."""
