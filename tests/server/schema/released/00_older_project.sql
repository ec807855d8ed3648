-- A hosted project of the time of the first release: whatever `postgres` makes in `public` is everybody's by default.
-- (Newer projects have no default privileges; the fresh databases of the tests are such.)
alter default privileges in schema public grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to postgres, anon, authenticated, service_role;
