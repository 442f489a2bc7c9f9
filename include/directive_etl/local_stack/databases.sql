-- The two databases and their roles. Run by psql as superuser at every start, here and in docker-compose.yaml:
-- what exists stays, passwords are set anew from the environment.
\set ON_ERROR_STOP on
-- A failed statement must not bring a password into the server's log.
SET log_min_error_statement = panic;

\getenv airflow_password AIRFLOW_PASSWORD
\getenv etl_owner_password ETL_OWNER_PASSWORD
\getenv etl_loader_password ETL_LOADER_PASSWORD
\getenv reporting_reader_password REPORTING_READER_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['airflow', 'etl_owner', 'etl_loader', 'reporting_reader']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE airflow PASSWORD :'airflow_password';
ALTER ROLE etl_owner PASSWORD :'etl_owner_password';
ALTER ROLE etl_loader PASSWORD :'etl_loader_password';
ALTER ROLE reporting_reader PASSWORD :'reporting_reader_password';

SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
FROM (VALUES ('airflow', 'airflow'), ('warehouse', 'etl_owner')) AS wanted (name, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec

-- PUBLIC may connect to every database and make temporary tables in it by default.
REVOKE ALL ON DATABASE airflow, warehouse, postgres, template1 FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE warehouse TO etl_loader; -- it loads through temporary tables
GRANT CONNECT ON DATABASE warehouse TO reporting_reader;
