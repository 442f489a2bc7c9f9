-- The rights of the two roles; the roles themselves are made with the database, since they have passwords.
-- etl_loader writes facts and operations but changes no table; reporting_reader may only SELECT in reporting.
grant usage on schema core, ops, reporting to etl_loader;
grant select, insert, update, delete on all tables in schema core, ops to etl_loader;
grant usage on all sequences in schema core, ops to etl_loader;
grant select on all tables in schema reporting to etl_loader;
grant execute on all functions in schema core, reporting to etl_loader;
revoke all on schema public from public;
revoke all on schema core, ops from public;
grant usage on schema reporting to reporting_reader;
grant select on all tables in schema reporting to reporting_reader;
revoke execute on all functions in schema core, reporting from public;
grant execute on all functions in schema reporting to reporting_reader;
