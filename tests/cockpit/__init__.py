"""A package, so that its Airflow and its browser end with its last test."""
