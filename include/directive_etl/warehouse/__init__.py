"""The PostgreSQL warehouse: tables, migrations, reporting views, and loading."""
