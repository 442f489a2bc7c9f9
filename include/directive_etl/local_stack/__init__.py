"""The whole system on one machine: PostgreSQL from a wheel, Airflow, and the services somebody declared.

`python -m directive_etl.local_stack up` starts it, `down` stops it. Everything it keeps is in `.local/`.
"""
