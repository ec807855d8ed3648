-- What `supabase db push` wrote down when these files were applied.
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (version text not null primary key, statements text[], name text);
insert into supabase_migrations.schema_migrations (version, name) values
    ('20250110093000', 'create_app_tables'),
    ('20250131000001', 'create_training_package_versions'),
    ('20250214120000', 'add_app_notes');
