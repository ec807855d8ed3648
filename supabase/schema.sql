-- The whole schema as it stands after all migrations. For reading only: `make schema` writes it
-- from the migrations, a test compares, and nobody applies it.
--
-- What clients use comes first, then training_versions_internal, which keeps the rules. A table is
-- followed by its indexes, policies, triggers and grants. Its triggers are in the order in which
-- they fire, which 20261122000020_version_rules.sql explains. Nobody may execute a function except
-- the roles in the grant below it.
--
-- public: tables
--
--   training_configs              Training packages.
--   training_package_versions     Versions of training packages: snapshots of config …
--   training_costs                training-versions: What training a version cost, entry by entry.
--   training_deployments          training-versions: Deployments of versions to targets.
--   training_metric_points        training-versions: One value of one metric at one step of a run …
--   training_runs                 training-versions: Training runs of versions.
--   training_version_events       training-versions: What happened to versions: who, when, what.
--
-- public: views
--
--   training_cost_entries         training-versions: Cost entries with the package and the number …
--   training_package_overviews    training-versions: Packages without their configs …
--   training_package_version_summaries  training-versions: training_package_versions without the …
--   training_published_versions   training-versions: Versions that are published now …
--   training_row_numbers          training-versions: The numbers 1 to 1001 …
--
-- public: functions
--
--   archive_training_version      Archives a published version …
--   cancel_version_training       Ends running training as cancelled; it may start again.
--   complete_version_training     Ends running training as completed; it cannot start again.
--   create_training_draft         Creates a draft with the next number of its package.
--   create_training_package       Creates a package for the caller.
--   delete_training_draft         Deletes a draft; its number is never given again.
--   delete_training_package       Deletes a package and its drafts.
--   deploy_training_version       Makes a published version the one that is live at a target …
--   export_training_versions      The versions of a package above one number and up to another …
--   fail_version_training         Ends running training as failed, with the reason …
--   fork_training_version         Makes a new draft in another package of the caller with the …
--   get_metric_history            The values of a metric by step …
--   get_metric_names              The names of the metrics that have a curve …
--   get_next_version_number       Returns the number that the next version of a package gets: 1 …
--   get_or_create_training_package  Returns the caller's package of that name as it is …
--   get_package_cost              Estimated, actual and budgeted cost of all versions of a …
--   get_version_lineage           The whole family of a version that the caller may see …
--   import_training_events        Imports the history of another project into a package of the …
--   import_training_versions      Imports versions of another project into a package of the …
--   publish_training_version      Publishes a draft: from then on its content changes for nobody.
--   record_training_cost          Adds a cost to a version; alerts are the shares of the budget …
--   record_version_metrics        Merges metrics into training_metrics; with a step …
--   restore_training_version      Makes a new draft with the content of an old version …
--   start_version_training        Starts training of a version; refused while it is running.
--   training_package_made_at      When a package was created, 1970 if that is not known …
--   training_version_summary      A version without its snapshots, as a computed column.
--   undeploy_training_version     Ends the deployment of a version at a target, or at all of them.
--   update_training_draft         Changes what p_changes names of a draft; null clears.
--   update_training_package       Changes what p_changes names of a package: name, template_type …
--
-- training_versions_internal: tables
--
--   calls                         Idempotency keys of calls that ended training …
--   claims                        What was asked for, as a hash …
--   cost_sums                     The sum of the entries of a version …
--   deletions                     Deleted drafts, and deleted packages (version_number is null) …
--   imports                       The transactions that import versions right now.
--   package_numbers               Highest version number given in a package.
--   version_origins               How a version came to be, unless it was simply created.
--
-- training_versions_internal: functions
--
--   acts_for                      May the caller act for this user?
--   acts_for_all                  May the caller act for every user?
--   add_cost_entry                Adds an entry and its events, its amount to actual_cost …
--   add_points                    Adds the numbers among the metrics to the curves of the run.
--   add_to_views                  Adds a column of the versions to both views of versions …
--   archive_version               Archives a published version.
--   begin_deployment              Makes a version the live one at a target …
--   begin_run                     Inserts a run that begins now; null if there is one with this id.
--   changed_paths                 The paths at which two JSON values differ, as JSON Pointers …
--   changed_snapshots             The snapshots in which two states of a version differ.
--   check_cost                    A cost is a number of cents between 0 and 99,999,999.99, or null.
--   check_cost_entry              Checks the arguments of record_cost.
--   check_deployable              Refuses to deploy a version that is not published …
--   check_draft_and_token         Refuses a version that is not a draft …
--   check_events                  Events are an array of objects …
--   check_fields                  What a function takes as p_fields or p_changes …
--   check_may_train               Refuses to train a version that is archived …
--   check_moment                  A timestamp is one that every reader can hold …
--   check_new_owner               A user creates packages for themselves …
--   check_numbers                 The numbers in a JSON value are such that every reader can read …
--   check_package_owner           Nobody puts a version into a package that is not theirs …
--   check_package_values          The values of a package, where they are new …
--   check_parent                  A parent is another version by the same user …
--   check_run_times               The timestamps that a client gives for a run can be those of one.
--   check_running                 Refuses a call about a run that has ended …
--   check_snapshot                A snapshot has the shape that readers rely on: 'object' …
--   check_target                  A target is one of those that the tables know.
--   check_text                    A text is not blank and not longer than it may be.
--   check_values                  The values of a version, where they are new …
--   claim_call                    Claims an idempotency key, under the lock on the version.
--   claim_id                      Claims an id for what a call is about to create with it.
--   compare_imported              Does an imported version differ from the one that is here …
--   copy_version                  Copies a version into a new draft …
--   crossed_shares                The shares of the budget that this amount crosses …
--   declare_origin                Records the origin of a version that is about to be inserted.
--   deploy                        Deploys a version to a target …
--   derived_id                    An id computed from a package and the id that something had in …
--   differences                   The columns in which two states of a version differ …
--   edit_details                  The details of an event that folds several edits …
--   editable_columns              The one list of what create_training_draft and …
--   end_deployments               Ends the live deployments of a version …
--   end_deployments_of_archived   Archiving a version ends its deployments.
--   end_training                  Ends the run that p_run_id names …
--   find_copy                     The draft that an earlier call with the same arguments made …
--   find_cost_entry               The entry that an earlier call made, found by its id or its key …
--   find_run                      The run that p_run_id names, which must be one of the version …
--   frozen_columns                What never changes once a version has this status …
--   give_number                   Under the lock on the package: the next number …
--   give_timestamp_and_name       The database sets created_at, unless the version is imported …
--   has_fields                    Does the draft hold what p_fields asks for?
--   hold_package_of               Keeps the package that a version lies in from being deleted.
--   import_events                 Imports events, and returns how many were new.
--   import_version                Imports one version, and reports the outcome as JSON.
--   import_versions               Imports versions, in order.
--   imported_history_id           The id of a version in its imported events.
--   imported_id                   The id in this project of a version of another one …
--   imported_parent               The parent of an imported version here …
--   insert_copy                   Inserts the copy, with its origin and with the source as its …
--   insert_cost_entry             Inserts an entry, and adds its amount to the sum.
--   insert_draft                  Inserts a draft with the editable columns of p_content …
--   insert_imported               Inserts an imported version …
--   is_importing                  Is this transaction importing versions?
--   is_live                       Is the version live at the target …
--   is_own_write                  Does the owner of this schema write …
--   is_owner_reference            Is this constraint the foreign key from a package to its owner?
--   keep_deleted_ids              The id of a deleted package is not used again …
--   keep_derived_columns          Counters and pointers are written by the triggers of versions …
--   keep_events                   Events are changed only by our triggers (record_edit) and …
--   keep_frozen                   Frozen columns do not change, with three exceptions …
--   keep_package_owner            The versions of a package belong to its owner.
--   keep_packages_with_history    A package with published or archived versions is not deleted by …
--   keep_published                A published or archived version is not deleted alone …
--   keep_snapshots                Snapshots change in drafts only …
--   keep_status_order             Draft, then published, then archived.
--   keep_training_transitions     Training goes from none or pending to running …
--   lock_own_package              The same, and takes the lock on the package.
--   lock_owned_version            The version without its snapshots …
--   lock_package                  The lock under which versions of a package are made …
--   lock_package_of               The lock on the package that a version lies in.
--   lock_source                   The version to copy, kept from being deleted meanwhile …
--   lock_version                  The version, locked against other changes …
--   move_pointers                 Moves the pointers to the newest version that is published now …
--   next_number                   The next number: the lowest above the last one given that no …
--   owner_for_import              The owner of the package; refused unless the caller is that …
--   owns_package                  Is this a package of the caller?
--   package_totals                What the versions of a package add up to.
--   reads_alike                   Does the reader of a bundle get the same from two JSON values?
--   record_cost                   Records a cost under the lock on the version …
--   record_creation               Adds the event of a new version: `created`, or its origin.
--   record_deleted_package        Records a deleted package as one entry …
--   record_deletion               Adds the event of a deleted draft.
--   record_deployment             Deployments follow the columns of a version, whoever writes them.
--   record_direct_cost            The change that a client makes to actual_cost becomes an entry …
--   record_edit                   Folds edits by the same user within a minute into one event …
--   record_edits                  Adds the event of an edit of other columns: of a draft …
--   record_event                  Adds an event about a version, which is named and not passed …
--   record_metrics                Merges metrics into those of the version; with a step …
--   record_snapshot_edits         Adds the event of an edit of snapshots.
--   record_status                 Adds the event of a new status.
--   record_training               Runs and events follow training_status, whoever writes it.
--   refuse                        Every refusal of ours: a code that errors.py knows, a sentence …
--   refuse_frozen                 Refuses a change of frozen columns.
--   refuse_import                 Refuses an import (TV207).
--   refuse_missing_package        Refuses a package that is not there …
--   refuse_missing_version        Refuses a version that is not there …
--   refuse_signed_draft           A draft is signed by nobody yet.
--   refuse_status                 Refuses what the status of a version does not allow.
--   refuse_taken_id               Refuses an id that belongs to something else.
--   refuse_training_status        Refuses a change of training_status …
--   refuse_value                  A value that is not acceptable; the detail names the field.
--   say_replayed                  Says in a header of the reply that this call created nothing …
--   see_summary                   The summary of a version, for the functions of this schema that …
--   see_version                   The version; refused if the caller sees none.
--   sent_alerts                   The shares of the budget that alerts were sent for …
--   show_deployment               Makes the columns of a version show the latest of its live …
--   sign_published                Publishing signs with the database's clock.
--   start_as_draft                A version starts as a draft, unless it is imported.
--   start_training                Starts a run, or returns the one that an earlier call with the …
--   state_of_import               Is an imported version 'here' already, was it 'deleted' here …
--   undeploy                      Ends the deployments of a version …
--   update_pointers               Moves the pointers of the package when the status of a version …
--   update_training_package_versions_updated_at  updated_at moves with every change …
--   update_version_count          Keeps training_configs.version_count …
--   version_label                 How refusals name a version: its number …
--   was_deleted                   Was this deleted by its owner?
--   without_facts                 What of a version freezes, or is recorded as an edit …
--   wrong_column                  What is wrong with an event: the name of a column, or null.

-- Training packages. Each belongs to one user; its versions are rows of training_package_versions.
create table public.training_configs (
    id uuid not null default gen_random_uuid(),
    name text not null,
    template_type text not null,
    config_json jsonb not null default '{}',
    user_id uuid not null,
    created_at timestamp with time zone not null default now(),
    -- The newest version that is published now, null if none is. Kept by the database.
    current_version_id uuid,
    -- How many versions the package has. Kept by the database.
    version_count integer not null default 0,
    -- Number of the newest version that is published now, 0 if none is. Kept by the database.
    latest_published_version integer not null default 0,
    constraint training_configs_pkey primary key (id),
    constraint training_configs_current_version_id_fkey foreign key (current_version_id) references public.training_package_versions(id) on delete set null,
    constraint training_configs_user_id_fkey foreign key (user_id) references auth.users(id) on delete cascade
);
create index idx_training_configs_current_version on public.training_configs (current_version_id);
create index idx_training_configs_user on public.training_configs (user_id);
alter table public.training_configs enable row level security;
create policy "Users can create own training configs" on public.training_configs
    for insert to authenticated
    with check (user_id = (( select auth.uid() as uid)));
create policy "Users can delete own training configs" on public.training_configs
    for delete to authenticated
    using (user_id = (( select auth.uid() as uid)));
create policy "Users can update own training configs" on public.training_configs
    for update to authenticated
    using (user_id = (( select auth.uid() as uid)))
    with check (user_id = (( select auth.uid() as uid)));
create policy "Users can view own training configs" on public.training_configs
    for select to authenticated
    using (user_id = (( select auth.uid() as uid)));
create trigger rule_05_deleted_ids
    before insert or update of id on public.training_configs
    for each row
    execute function training_versions_internal.keep_deleted_ids();
create trigger rule_10_package_owner
    before update on public.training_configs
    for each row
    when (new.user_id is distinct from old.user_id and old.version_count > 0)
    execute function training_versions_internal.keep_package_owner();
create trigger rule_20_derived_columns
    before insert or update on public.training_configs
    for each row
    execute function training_versions_internal.keep_derived_columns();
create trigger rule_25_values
    before insert or update of name, template_type, config_json on public.training_configs
    for each row
    execute function training_versions_internal.check_package_values();
create trigger rule_30_history_stays
    before delete on public.training_configs
    for each row
    when (row_security_active('public.training_package_versions'))
    execute function training_versions_internal.keep_packages_with_history();
create trigger record_10_deleted_package
    after delete on public.training_configs
    for each row
    execute function training_versions_internal.record_deleted_package();
grant delete, insert, select, update on public.training_configs to authenticated, service_role;

-- Versions of training packages: snapshots of config, base model and data sets, draft, then
-- published, then archived.
create table public.training_package_versions (
    id uuid not null default gen_random_uuid(),
    package_id uuid not null,
    -- Given under a lock on the package when the version is made; never given again, also after a
    -- draft is deleted.
    version_number integer not null,
    name text not null,
    status text not null,
    created_at timestamp with time zone not null default now(),
    created_by uuid,
    published_at timestamp with time zone,
    published_by uuid,
    -- Moves forward with every change; the edit token of a draft. A token that is not before
    -- content_updated_at is current.
    updated_at timestamp with time zone not null default now(),
    config_snapshot jsonb not null,
    model_snapshot jsonb not null,
    dataset_snapshot jsonb not null,
    change_summary text,
    parent_version_id uuid,
    is_deployed boolean not null default false,
    deployment_target text,
    deployment_url text,
    deployment_id text,
    training_status text,
    training_started_at timestamp with time zone,
    training_completed_at timestamp with time zone,
    training_metrics jsonb,
    estimated_cost numeric(10,2),
    actual_cost numeric(10,2),
    budget_limit numeric(10,2),
    -- A JSON array of the shares of the budget, in percent, that alerts were sent for.
    cost_alerts_sent jsonb,
    -- Moves forward with every edit of the draft, and its publishing; not with training, deployment
    -- or cost. Kept by the database.
    content_updated_at timestamp with time zone not null default now(),
    constraint training_package_versions_pkey primary key (id),
    constraint unique_package_version unique (package_id, version_number),
    constraint training_package_versions_created_by_fkey foreign key (created_by) references auth.users(id) deferrable initially deferred,
    constraint training_package_versions_package_id_fkey foreign key (package_id) references public.training_configs(id) on delete cascade,
    constraint training_package_versions_parent_version_id_fkey foreign key (parent_version_id) references public.training_package_versions(id) on delete set null,
    constraint training_package_versions_published_by_fkey foreign key (published_by) references auth.users(id) deferrable initially deferred,
    constraint deployed_has_target check (not is_deployed or deployment_target is not null),
    constraint published_has_timestamp_and_user check (status <> 'published' or published_at is not null and published_by is not null),
    constraint valid_deployment_target check (deployment_target = any (array['local', 'hf_space'])),
    constraint valid_status check (status = any (array['draft', 'published', 'archived'])),
    constraint valid_training_status check (training_status = any (array['pending', 'running', 'completed', 'failed', 'cancelled']))
);
create index idx_package_versions_children on public.training_package_versions (parent_version_id, created_by) where (parent_version_id is not null);
create index idx_package_versions_config_snapshot on public.training_package_versions using gin (config_snapshot jsonb_path_ops) with (gin_pending_list_limit='16384');
create index idx_package_versions_dataset_snapshot on public.training_package_versions using gin (dataset_snapshot jsonb_path_ops) with (gin_pending_list_limit='16384');
create index idx_package_versions_deployment on public.training_package_versions (is_deployed, deployment_target) where is_deployed;
create index idx_package_versions_model_snapshot on public.training_package_versions using gin (model_snapshot jsonb_path_ops) with (gin_pending_list_limit='16384');
create index idx_package_versions_package on public.training_package_versions (package_id, version_number desc);
create index idx_package_versions_parent on public.training_package_versions (parent_version_id) where (parent_version_id is not null);
create index idx_package_versions_published on public.training_package_versions (package_id, version_number desc) where (status = 'published');
create index idx_package_versions_published_by on public.training_package_versions (published_by) where (published_by is not null);
create index idx_package_versions_status on public.training_package_versions (created_by, status, package_id, version_number desc);
create index idx_package_versions_training_status on public.training_package_versions (training_status) where (training_status is not null);
create index idx_package_versions_user on public.training_package_versions (created_by, package_id, version_number desc);
create index idx_package_versions_user_created on public.training_package_versions (created_by, created_at desc, id desc);
alter table public.training_package_versions enable row level security;
create policy "Users can create own package versions" on public.training_package_versions
    for insert to authenticated
    with check ((( select auth.uid() as uid)) = created_by and status = 'draft' and training_versions_internal.owns_package(package_id));
create policy "Users can delete own draft versions" on public.training_package_versions
    for delete to authenticated
    using ((( select auth.uid() as uid)) = created_by and status = 'draft');
create policy "Users can update own draft versions" on public.training_package_versions
    for update to authenticated
    using ((( select auth.uid() as uid)) = created_by and status = 'draft')
    with check ((( select auth.uid() as uid)) = created_by and (status = any (array['draft', 'published'])) and training_versions_internal.owns_package(package_id));
create policy "Users can view own package versions" on public.training_package_versions
    for select to authenticated
    using ((( select auth.uid() as uid)) = created_by);
create trigger rule_10_package_owner
    before insert on public.training_package_versions
    for each row
    when (row_security_active('public.training_package_versions'))
    execute function training_versions_internal.check_package_owner();
create trigger rule_20_start_as_draft
    before insert on public.training_package_versions
    for each row
    execute function training_versions_internal.start_as_draft();
create trigger rule_30_number
    before insert on public.training_package_versions
    for each row
    execute function training_versions_internal.give_number();
create trigger rule_35_timestamp_and_name
    before insert on public.training_package_versions
    for each row
    execute function training_versions_internal.give_timestamp_and_name();
create trigger rule_40_frozen
    before update on public.training_package_versions
    for each row
    execute function training_versions_internal.keep_frozen();
create trigger rule_41_snapshots
    before update of config_snapshot, model_snapshot, dataset_snapshot on public.training_package_versions
    for each row
    execute function training_versions_internal.keep_snapshots();
create trigger rule_45_status_order
    before update on public.training_package_versions
    for each row
    when (new.status is distinct from old.status)
    execute function training_versions_internal.keep_status_order();
create trigger rule_50_sign
    before update on public.training_package_versions
    for each row
    when (old.status = 'draft' and new.status = 'published')
    execute function training_versions_internal.sign_published();
create trigger rule_60_unsigned
    before update on public.training_package_versions
    for each row
    when (new.status = 'draft' and (new.published_at is distinct from old.published_at or new.published_by is distinct from old.published_by))
    execute function training_versions_internal.refuse_signed_draft();
create trigger rule_60_unsigned_new_version
    before insert on public.training_package_versions
    for each row
    when (new.status = 'draft' and (new.published_at is not null or new.published_by is not null))
    execute function training_versions_internal.refuse_signed_draft();
create trigger rule_65_values
    before insert or update on public.training_package_versions
    for each row
    execute function training_versions_internal.check_values();
create trigger rule_70_parent
    before insert or update on public.training_package_versions
    for each row
    when (new.parent_version_id is not null)
    execute function training_versions_internal.check_parent();
create trigger rule_80_training
    before update on public.training_package_versions
    for each row
    when (new.training_status is distinct from old.training_status or new.training_started_at is distinct from old.training_started_at or new.training_completed_at is distinct from old.training_completed_at)
    execute function training_versions_internal.keep_training_transitions();
create trigger rule_80_training_of_new_version
    before insert on public.training_package_versions
    for each row
    when (new.training_status is not null or new.training_started_at is not null or new.training_completed_at is not null)
    execute function training_versions_internal.keep_training_transitions();
create trigger rule_90_published_stays
    before delete on public.training_package_versions
    for each row
    execute function training_versions_internal.keep_published();
create trigger set_updated_at
    before update on public.training_package_versions
    for each row
    execute function training_versions_internal.update_training_package_versions_updated_at();
create trigger record_05_end_deployments
    after update of status on public.training_package_versions
    for each row
    when (new.status = 'archived' and old.status <> 'archived')
    execute function training_versions_internal.end_deployments_of_archived();
create trigger record_10_creation
    after insert on public.training_package_versions
    for each row
    execute function training_versions_internal.record_creation();
create trigger record_10_deletion
    after delete on public.training_package_versions
    for each row
    execute function training_versions_internal.record_deletion();
create trigger record_10_snapshots
    after update of config_snapshot, model_snapshot, dataset_snapshot on public.training_package_versions
    for each row
    when (new.content_updated_at is distinct from old.content_updated_at)
    execute function training_versions_internal.record_snapshot_edits();
create trigger record_11_edits
    after update on public.training_package_versions
    for each row
    when (new.content_updated_at is distinct from old.content_updated_at or new.estimated_cost is distinct from old.estimated_cost or new.budget_limit is distinct from old.budget_limit)
    execute function training_versions_internal.record_edits();
create trigger record_12_status
    after update of status on public.training_package_versions
    for each row
    when (new.status <> old.status)
    execute function training_versions_internal.record_status();
create trigger record_70_deployment
    after update of is_deployed, deployment_target, deployment_url, deployment_id on public.training_package_versions
    for each row
    when (new.is_deployed is distinct from old.is_deployed or new.deployment_target is distinct from old.deployment_target or new.deployment_url is distinct from old.deployment_url or new.deployment_id is distinct from old.deployment_id)
    execute function training_versions_internal.record_deployment();
create trigger record_70_deployment_of_new_version
    after insert on public.training_package_versions
    for each row
    when (new.is_deployed)
    execute function training_versions_internal.record_deployment();
create trigger record_75_cost
    after update of actual_cost on public.training_package_versions
    for each row
    when (new.actual_cost is distinct from old.actual_cost)
    execute function training_versions_internal.record_direct_cost();
create trigger record_75_cost_of_new_version
    after insert on public.training_package_versions
    for each row
    when (new.actual_cost is not null)
    execute function training_versions_internal.record_direct_cost();
create trigger record_80_training
    after update of training_status on public.training_package_versions
    for each row
    when (new.training_status is distinct from old.training_status)
    execute function training_versions_internal.record_training();
create trigger record_80_training_of_new_version
    after insert on public.training_package_versions
    for each row
    when (new.training_status is not null)
    execute function training_versions_internal.record_training();
create trigger update_config_pointers
    after update of status on public.training_package_versions
    for each row
    when (new.status is distinct from old.status)
    execute function training_versions_internal.update_pointers();
create trigger update_config_version_count
    after insert or delete on public.training_package_versions
    for each row
    execute function training_versions_internal.update_version_count();
grant delete, insert, select, update on public.training_package_versions to authenticated, service_role;

-- training-versions: What training a version cost, entry by entry. Invariant: actual_cost is their
-- sum. Written by the database only.
create table public.training_costs (
    id uuid not null default gen_random_uuid(),
    version_id uuid not null,
    owner_id uuid,
    amount numeric(10,2) not null,
    note text,
    key text not null,
    -- The shares of the budget, in percent, that this entry crossed.
    alerts integer[] not null default '{}',
    recorded_at timestamp with time zone not null default clock_timestamp(),
    recorded_by uuid,
    constraint counts_once unique (version_id, key),
    constraint training_costs_pkey primary key (id),
    constraint training_costs_version_id_fkey foreign key (version_id) references public.training_package_versions(id) on delete cascade
);
create index idx_training_costs_alerts on public.training_costs (version_id) where (alerts <> '{}');
alter table public.training_costs enable row level security;
create policy "Users can view own costs" on public.training_costs
    for select to authenticated
    using ((( select auth.uid() as uid)) = owner_id);
grant select on public.training_costs to authenticated, service_role;

-- training-versions: Deployments of versions to targets. Invariant: at most one of a package is
-- live (not ended) per target. Written by the database only.
create table public.training_deployments (
    id uuid not null default gen_random_uuid(),
    package_id uuid not null,
    version_id uuid not null,
    version_number integer not null,
    owner_id uuid,
    target text not null,
    url text,
    deployment_id text,
    started_at timestamp with time zone not null default clock_timestamp(),
    started_by uuid,
    ended_at timestamp with time zone,
    ended_by uuid,
    constraint training_deployments_pkey primary key (id),
    constraint training_deployments_package_id_fkey foreign key (package_id) references public.training_configs(id) on delete cascade,
    constraint training_deployments_version_id_fkey foreign key (version_id) references public.training_package_versions(id) on delete cascade,
    constraint ends_after_start check (ended_at >= started_at),
    constraint known_target check (target = any (array['local', 'hf_space']))
);
create index idx_training_deployments_owner on public.training_deployments (owner_id, started_at, id);
create index idx_training_deployments_package on public.training_deployments (package_id, started_at, id);
create index idx_training_deployments_target on public.training_deployments (package_id, target, started_at desc);
create index idx_training_deployments_version on public.training_deployments (version_id);
create unique index one_live_per_target on public.training_deployments (package_id, target) where (ended_at is null);
alter table public.training_deployments enable row level security;
create policy "Users can view own deployments" on public.training_deployments
    for select to authenticated
    using ((( select auth.uid() as uid)) = owner_id);
grant select on public.training_deployments to authenticated, service_role;

-- training-versions: One value of one metric at one step of a run: the last one that was written.
create table public.training_metric_points (
    run_id uuid not null,
    name text not null,
    step bigint not null,
    value double precision not null,
    owner_id uuid,
    recorded_at timestamp with time zone not null default clock_timestamp(),
    constraint training_metric_points_pkey primary key (run_id, name, step),
    constraint training_metric_points_run_id_fkey foreign key (run_id) references public.training_runs(id) on delete cascade
);
alter table public.training_metric_points enable row level security;
create policy "Users can view own metric points" on public.training_metric_points
    for select to authenticated
    using ((( select auth.uid() as uid)) = owner_id);
grant select on public.training_metric_points to authenticated, service_role;

-- training-versions: Training runs of versions. Invariant: at most one run of a version is running.
-- Written by the database only.
create table public.training_runs (
    id uuid not null default gen_random_uuid(),
    version_id uuid not null,
    owner_id uuid,
    status text not null default 'running',
    started_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    started_by uuid,
    reason text,
    constraint training_runs_pkey primary key (id),
    constraint training_runs_version_id_fkey foreign key (version_id) references public.training_package_versions(id) on delete cascade,
    constraint ended_unless_running check ((status = 'running') = (ended_at is null)),
    constraint known_run_status check (status = any (array['running', 'completed', 'failed', 'cancelled']))
);
create index idx_training_runs_version on public.training_runs (version_id, started_at desc);
create unique index one_running_per_version on public.training_runs (version_id) where (status = 'running');
alter table public.training_runs enable row level security;
create policy "Users can view own training runs" on public.training_runs
    for select to authenticated
    using ((( select auth.uid() as uid)) = owner_id);
grant select on public.training_runs to authenticated, service_role;

-- training-versions: What happened to versions: who, when, what. Invariant: append-only; rows go
-- only with their whole package.
create table public.training_version_events (
    id bigint not null generated always as identity,
    package_id uuid not null,
    -- Not a foreign key, because the events of a deleted draft are kept.
    version_id uuid not null,
    version_number integer not null,
    -- Who may read it: who created the version.
    owner_id uuid,
    kind text not null,
    -- Who did it; null for a role without a user (the service role).
    actor_id uuid,
    occurred_at timestamp with time zone not null default clock_timestamp(),
    -- Of edits that are one event: the time of the last; occurred_at is that of the first.
    last_at timestamp with time zone,
    -- What is particular to the kind: changed paths (not content), target, amount, reason, the
    -- version copied from.
    details jsonb not null default '{}',
    -- Of an imported event: the package, id and time that it had in the project it came from.
    source text,
    -- Of the event `imported`: the id that the version had in the project it came from. A column,
    -- because with an index on an expression of details every change of details would be written to
    -- every index.
    imported_from text default 
case
    when (kind = 'imported') then (details ->> 'from_version_id')
    else null
end,
    constraint training_version_events_pkey primary key (id),
    constraint training_version_events_package_id_fkey foreign key (package_id) references public.training_configs(id) on delete cascade,
    constraint known_event_kind check (kind = any (array['created', 'restored', 'forked', 'imported', 'edited', 'published', 'archived', 'deleted', 'training_pending', 'training_started', 'training_completed', 'training_failed', 'training_cancelled', 'deployed', 'undeployed', 'cost_recorded', 'cost_alert']))
);
create index idx_version_events_bundle on public.training_version_events (package_id, id);
create index idx_version_events_imported on public.training_version_events (imported_from) where (imported_from is not null);
create index idx_version_events_owner on public.training_version_events (owner_id, occurred_at, id);
create index idx_version_events_package on public.training_version_events (owner_id, package_id, occurred_at, id);
create index idx_version_events_version on public.training_version_events (version_id, occurred_at, id);
create unique index imported_once on public.training_version_events (package_id, source) where (source is not null);
alter table public.training_version_events enable row level security;
create policy "Users can view own version events" on public.training_version_events
    for select to authenticated
    using ((( select auth.uid() as uid)) = owner_id);
create trigger rule_10_append_only
    before delete or update on public.training_version_events
    for each row
    execute function training_versions_internal.keep_events();
create trigger rule_20_no_truncate
    before truncate on public.training_version_events
    for each statement
    execute function training_versions_internal.keep_events();
grant select on public.training_version_events to authenticated, service_role;

-- training-versions: Cost entries with the package and the number of their version. Whoever sees
-- both sees one.
create view public.training_cost_entries
with (security_invoker = true)
as
 select c.id,
    c.version_id,
    v.package_id,
    v.version_number,
    c.amount,
    c.note,
    c.key,
    c.alerts,
    c.recorded_at,
    c.recorded_by
   from public.training_costs c
     join public.training_package_versions v on v.id = c.version_id;
grant select on public.training_cost_entries to authenticated;
grant select on public.training_cost_entries to service_role;

-- training-versions: Packages without their configs, and in `totals` what is live, drafts, costs
-- and the last change of their versions. Whoever sees a package and its versions sees its overview.
create view public.training_package_overviews
with (security_invoker = true)
as
 select id,
    name,
    template_type,
    user_id,
    current_version_id,
    version_count,
    latest_published_version,
    public.training_package_made_at(c.*) as training_package_made_at,
    training_versions_internal.package_totals(id) as totals
   from public.training_configs c;
grant select on public.training_package_overviews to authenticated;
grant select on public.training_package_overviews to service_role;

-- training-versions: training_package_versions without the snapshots. Whoever sees a version sees
-- its summary.
create view public.training_package_version_summaries
with (security_invoker = true)
as
 select id,
    package_id,
    version_number,
    name,
    status,
    created_at,
    created_by,
    published_at,
    published_by,
    updated_at,
    change_summary,
    parent_version_id,
    is_deployed,
    deployment_target,
    deployment_url,
    deployment_id,
    training_status,
    training_started_at,
    training_completed_at,
    training_metrics,
    estimated_cost,
    actual_cost,
    budget_limit,
    cost_alerts_sent
   from public.training_package_versions v;
grant select on public.training_package_version_summaries to authenticated;
grant select on public.training_package_version_summaries to service_role;

-- training-versions: Versions that are published now, neither drafts nor archived. Whoever sees a
-- version sees it.
create view public.training_published_versions
with (security_invoker = true)
as
 select id,
    package_id,
    version_number,
    name,
    status,
    created_at,
    created_by,
    published_at,
    published_by,
    updated_at,
    change_summary,
    parent_version_id,
    is_deployed,
    deployment_target,
    deployment_url,
    deployment_id,
    training_status,
    training_started_at,
    training_completed_at,
    training_metrics,
    estimated_cost,
    actual_cost,
    budget_limit,
    cost_alerts_sent,
    config_snapshot,
    model_snapshot,
    dataset_snapshot
   from public.training_package_versions v
  where status = 'published';
grant select on public.training_published_versions to authenticated;
grant select on public.training_published_versions to service_role;

-- training-versions: The numbers 1 to 1001: how many of them arrive shows how many rows a reply may
-- have.
create view public.training_row_numbers
with (security_invoker = true)
as
 select n
   from generate_series(1, 1001) n(n);
grant select on public.training_row_numbers to authenticated;
grant select on public.training_row_numbers to service_role;

-- Archives a published version; the package's pointers move to the newest one still published.
-- Archiving what is archived returns it.
create function public.archive_training_version(p_version_id uuid)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.lock_version(p_version_id, true);
    if version.status = 'draft' then
        perform training_versions_internal.refuse_status(
            'TV203',
            version,
            'is a draft and cannot be archived',
            'Publish it first, or delete it.'
        );
    end if;
    perform training_versions_internal.archive_version(p_version_id);
    return training_versions_internal.see_version(p_version_id);
end
$$;
grant execute on function public.archive_training_version to authenticated, service_role;

-- Ends running training as cancelled; it may start again. Idempotent with the same p_call_id.
create function public.cancel_version_training(
    p_version_id uuid,
    p_reason text default null,
    p_run_id uuid default null,
    p_call_id uuid default null
)
returns public.training_runs
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.end_training(
        p_version_id, 'cancelled', p_reason, p_run_id, p_call_id
    );
end
$$;
grant execute on function public.cancel_version_training to authenticated, service_role;

-- Ends running training as completed; it cannot start again. With p_run_id only if that is the run
-- that is running. Idempotent with the same p_call_id.
create function public.complete_version_training(
    p_version_id uuid,
    p_run_id uuid default null,
    p_call_id uuid default null
)
returns public.training_runs
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.end_training(
        p_version_id, 'completed', null, p_run_id, p_call_id
    );
end
$$;
grant execute on function public.complete_version_training to authenticated, service_role;

-- Creates a draft with the next number of its package. p_fields names the three snapshots, and what
-- else is given. Repeated with the same p_version_id it returns the draft it made.
create function public.create_training_draft(
    p_package_id uuid,
    p_fields jsonb,
    p_version_id uuid default null
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    is_repeat boolean;
    was_edited boolean;
    holds_the_same boolean;
begin
    if not training_versions_internal.lock_package(p_package_id) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    perform training_versions_internal.check_fields(
        'p_fields', p_fields, training_versions_internal.editable_columns()
    );

    if p_version_id is not null then
        is_repeat := training_versions_internal.claim_id(
            'version', p_version_id, jsonb_build_array(p_package_id, p_fields)
        );
    end if;

    select * into version from public.training_package_versions v where v.id = p_version_id;
    if found then
        -- A repeat returns the draft that the first call made, as it is now.
        was_edited := least(version.content_updated_at, version.updated_at) <> version.created_at;
        holds_the_same := training_versions_internal.has_fields(version, p_fields);
        if is_repeat is null then
            -- Nothing is known of the first call, so an edited draft may be what became of it.
            is_repeat := was_edited or holds_the_same;
        elsif not is_repeat then
            -- The first call may have asked for the same in other words.
            is_repeat := holds_the_same and not was_edited;
        end if;
        if version.package_id <> p_package_id or not is_repeat then
            perform training_versions_internal.refuse_taken_id(
                p_version_id, 'is another version''s already'
            );
        end if;
        perform training_versions_internal.say_replayed();
        return version;
    end if;
    if training_versions_internal.was_deleted(p_version_id, false) then
        perform training_versions_internal.refuse_taken_id(
            p_version_id, 'was a draft''s that is deleted'
        );
    end if;
    return training_versions_internal.insert_draft(
        p_version_id,
        p_package_id,
        jsonb_populate_record(null::public.training_package_versions, p_fields)
    );
end
$$;
grant execute on function public.create_training_draft to authenticated, service_role;

-- Creates a package for the caller. Repeated with the same p_package_id it returns that one.
create function public.create_training_package(
    p_name text,
    p_template_type text,
    p_config_json jsonb,
    p_package_id uuid default null,
    p_user_id uuid default null
)
returns public.training_configs
set search_path = ''
language plpgsql
as $$
declare
    owner constant pg_catalog.uuid := coalesce(p_user_id, auth.uid());
    package public.training_configs;
    is_repeat boolean;
    violated pg_catalog.text;
begin
    perform training_versions_internal.check_text('name', p_name, 255);
    perform training_versions_internal.check_text('template_type', p_template_type, 100);
    perform training_versions_internal.check_snapshot('config_json', p_config_json, 'object');
    perform training_versions_internal.check_new_owner(owner);

    if p_package_id is not null then
        is_repeat := training_versions_internal.claim_id(
            'package',
            p_package_id,
            jsonb_build_array(p_name, p_template_type, p_config_json, owner)
        );
    end if;
    insert into public.training_configs (id, name, template_type, config_json, user_id)
    values (
        coalesce(p_package_id, gen_random_uuid()), p_name, p_template_type, p_config_json, owner
    )
    on conflict (id) do nothing
    returning * into package;
    if found then
        return package;
    end if;

    -- A repeat returns the package that the first call made, as it is now. One that no call made
    -- must be as this one asks for. The cast is for older tables, whose config_json may be `json`.
    select * into package from public.training_configs c where c.id = p_package_id;
    if package.user_id is distinct from owner
        or is_repeat is not true
        and (
            (package.name, package.template_type) is distinct from (p_name, p_template_type)
            or record_image_ne(row(package.config_json::pg_catalog.jsonb), row(p_config_json))
        )
    then
        perform training_versions_internal.refuse_taken_id(
            p_package_id, 'is another package''s already'
        );
    end if;
    perform training_versions_internal.say_replayed();
    return package;
exception
    when foreign_key_violation then
        get stacked diagnostics violated = constraint_name;
        if not training_versions_internal.is_owner_reference(violated) then
            raise;
        end if;
        perform training_versions_internal.refuse_value(
            'user_id',
            format('there is no user %s', owner),
            'Check the id; users are in auth.users.'
        );
end
$$;
grant execute on function public.create_training_package to authenticated, service_role;

-- Deletes a draft; its number is never given again. Deleting again what you deleted succeeds.
create function public.delete_training_draft(
    p_version_id uuid,
    p_expected_updated_at timestamp with time zone default null
)
returns void
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package_of(p_version_id);
    if training_versions_internal.was_deleted(p_version_id, false)
        and not exists (
            select from public.training_package_versions v where v.id = p_version_id
        )
    then
        return;
    end if;
    version := training_versions_internal.lock_version(p_version_id, true);
    perform training_versions_internal.check_draft_and_token(
        version,
        p_expected_updated_at,
        case version.status
            when 'published' then 'Archive it instead.'
            else 'Keep it: archived versions are part of the history.'
        end
    );
    delete from public.training_package_versions where id = p_version_id;
end
$$;
grant execute on function public.delete_training_draft to authenticated, service_role;

-- Deletes a package and its drafts. Refused to its owner while it has published or archived
-- versions.
create function public.delete_training_package(p_package_id uuid)
returns void
set search_path = ''
language plpgsql
as $$
begin
    delete from public.training_configs where id = p_package_id;
    if not found and not training_versions_internal.was_deleted(p_package_id, true) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
end
$$;
grant execute on function public.delete_training_package to authenticated, service_role;

-- Makes a published version the one that is live at a target, in place of the one before it.
-- p_stay_id makes the call idempotent: repeated with it, the call changes nothing, whatever was
-- deployed since. A deployment that the call begins has this id; a version that is live there
-- already keeps its deployment and its id.
create function public.deploy_training_version(
    p_version_id uuid,
    p_target text,
    p_url text default null,
    p_deployment_id text default null,
    p_stay_id uuid default null
)
returns public.training_package_version_summaries
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.deploy(
        p_version_id, p_target, p_url, p_deployment_id, p_stay_id
    );
end
$$;
grant execute on function public.deploy_training_version to authenticated, service_role;

-- The versions of a package above one number and up to another, in order, as one JSON array of
-- about p_bytes.
-- Versions are read one at a time, because their sizes are not known: a page ends before the
-- version that would make it larger than p_bytes, and has at least one version.
create function public.export_training_versions(
    p_package_id uuid,
    p_after integer,
    p_newest integer,
    p_bytes integer
)
returns json
stable
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    version public.training_package_versions;
    line pg_catalog.text;
    page pg_catalog.text[] := '{}';
    last_number integer := p_after;
    size bigint := 0;
begin
    if not exists (select from public.training_configs c where c.id = p_package_id) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    loop
        select * into version
        from public.training_package_versions v
        where v.package_id = p_package_id
            and v.version_number > last_number and v.version_number <= p_newest
        order by v.version_number
        limit 1;
        exit when not found;
        line := row_to_json(version)::pg_catalog.text;
        size := size + octet_length(line);
        exit when size > p_bytes and page <> '{}';
        page := page || line;
        last_number := version.version_number;
    end loop;
    return ('[' || array_to_string(page, ',') || ']')::pg_catalog.json;
end
$$;
grant execute on function public.export_training_versions to authenticated, service_role;

-- Ends running training as failed, with the reason; it may start again. Idempotent with the same
-- p_call_id.
create function public.fail_version_training(
    p_version_id uuid,
    p_reason text,
    p_run_id uuid default null,
    p_call_id uuid default null
)
returns public.training_runs
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.end_training(
        p_version_id, 'failed', p_reason, p_run_id, p_call_id
    );
end
$$;
grant execute on function public.fail_version_training to authenticated, service_role;

-- Makes a new draft in another package of the caller with the content of a version, which becomes
-- its parent.
create function public.fork_training_version(
    p_version_id uuid,
    p_into_package_id uuid,
    p_name text default null,
    p_change_summary text default null,
    p_new_version_id uuid default null
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.copy_version(
        'forked', p_version_id, p_into_package_id, p_name, p_change_summary, p_new_version_id
    );
end
$$;
grant execute on function public.fork_training_version to authenticated, service_role;

-- The values of a metric by step, of the latest run or the one given, as a JSON array in the order
-- of steps.
create function public.get_metric_history(
    p_version_id uuid,
    p_name text,
    p_run_id uuid default null
)
returns jsonb
stable
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    run public.training_runs;
begin
    version := training_versions_internal.see_version(p_version_id);
    run := training_versions_internal.find_run(version, p_run_id);
    -- One JSON array, because PostgREST caps the rows of a reply.
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object('step', p.step, 'value', p.value, 'recorded_at', p.recorded_at)
                order by p.step
            ),
            '[]'
        )
        from public.training_metric_points p
        where p.name = p_name and p.run_id = run.id
    );
end
$$;
grant execute on function public.get_metric_history to authenticated, service_role;

-- The names of the metrics that have a curve, of the latest run or the one given, as a JSON array
-- in their order.
create function public.get_metric_names(
    p_version_id uuid,
    p_run_id uuid default null
)
returns jsonb
stable
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    run public.training_runs;
begin
    version := training_versions_internal.see_version(p_version_id);
    run := training_versions_internal.find_run(version, p_run_id);
    -- From each name to the next by the primary key, however many points a curve has.
    return (
        with recursive curves as (
            select min(p.name) as name
            from public.training_metric_points p
            where p.run_id = run.id
            union all
            select (
                select min(p.name)
                from public.training_metric_points p
                where p.run_id = run.id and p.name > c.name
            )
            from curves c
            where c.name is not null
        )
        select coalesce(jsonb_agg(c.name order by c.name), '[]')
        from curves c
        where c.name is not null
    );
end
$$;
grant execute on function public.get_metric_names to authenticated, service_role;

-- Returns the number that the next version of a package gets: 1, 2, 3 …. Reserves nothing.
-- The next number of a package: 1, 2, 3 …
create function public.get_next_version_number(p_package_id uuid)
returns integer
stable
set search_path = ''
language plpgsql
as $$
declare
    next_number constant integer := training_versions_internal.next_number(p_package_id);
begin
    if next_number is null then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    return next_number;
end
$$;
grant execute on function public.get_next_version_number to authenticated, service_role;

-- Returns the caller's package of that name as it is, the oldest if there are several; creates it
-- if there is none. Called twice at once it creates one.
-- Two callers at once make one package: they wait for each other, owner by owner and name by name.
create function public.get_or_create_training_package(
    p_name text,
    p_template_type text,
    p_config_json jsonb,
    p_user_id uuid default null
)
returns public.training_configs
set search_path = ''
language plpgsql
as $$
declare
    owner constant pg_catalog.uuid := coalesce(p_user_id, auth.uid());
    package public.training_configs;
begin
    perform training_versions_internal.check_new_owner(owner);
    perform pg_advisory_xact_lock(
        hashtextextended(format('training-versions: %s %s', owner, p_name), 0)
    );
    select * into package
    from public.training_configs c
    where c.user_id = coalesce(p_user_id, auth.uid()) and c.name = p_name
    order by public.training_package_made_at(c.*), c.id
    limit 1;
    if found then
        perform training_versions_internal.say_replayed();
        return package;
    end if;
    return public.create_training_package(
        p_name, p_template_type, p_config_json, null, owner
    );
end
$$;
grant execute on function public.get_or_create_training_package to authenticated, service_role;

-- Estimated, actual and budgeted cost of all versions of a package that the caller may see.
create function public.get_package_cost(p_package_id uuid)
returns jsonb
stable
set search_path = ''
language plpgsql
as $$
begin
    if not exists (select from public.training_configs c where c.id = p_package_id) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    return (
        select jsonb_build_object(
            'package_id', p_package_id,
            'versions', count(*),
            'estimated_cost', coalesce(sum(v.estimated_cost), 0),
            'actual_cost', coalesce(sum(v.actual_cost), 0),
            'budget_limit', coalesce(sum(v.budget_limit), 0)
        )
        from public.training_package_versions v
        where v.package_id = p_package_id
    );
end
$$;
grant execute on function public.get_package_cost to authenticated, service_role;

-- The whole family of a version that the caller may see, as a JSON array in the order of creation.
-- All versions that are related to this one by parents, as far as the caller may see: the first
-- ancestor and all its descendants. Walks up, finds the root, and walks down, level by level. One
-- JSON array, because PostgREST caps the rows of a reply. `offset 0` keeps the planner from merging
-- each step into a join: without statistics it would read all versions of the caller for it,
-- instead of looking one up by its index.
create function public.get_version_lineage(p_version_id uuid)
returns jsonb
stable
set search_path = ''
language plpgsql
as $$
declare
    found_rows pg_catalog.jsonb;
begin
    with recursive ancestors (id, parent_version_id) as (
        select v.id, v.parent_version_id
        from public.training_package_versions v
        where v.id = p_version_id
        union
        select p.id, p.parent_version_id
        from ancestors a
        cross join lateral (
            select v.id, v.parent_version_id
            from public.training_package_versions v
            where v.id = a.parent_version_id
            offset 0
        ) as p
    ),
    roots (id) as (
        select a.id
        from ancestors a
        where not exists (select from ancestors p where p.id = a.parent_version_id)
    ),
    tree (id) as (
        -- Rows from before these rules may be each other's ancestors: then there is no root.
        select coalesce(
            (select r.id from roots r),
            (select a.id from ancestors a where a.id = p_version_id)
        )
        union
        select c.id
        from tree t
        cross join lateral (
            select v.id
            from public.training_package_versions v
            where v.parent_version_id = t.id
            offset 0
        ) as c
    )
    select jsonb_agg(to_jsonb(f) order by f.created_at, f.id) into found_rows
    from (
        select
            v.id, v.package_id, v.version_number, v.name, v.status, v.created_at,
            v.change_summary, v.parent_version_id
        from tree
        cross join lateral (
            select * from public.training_package_versions p where p.id = tree.id offset 0
        ) as v
    ) as f;
    if found_rows is null then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    return found_rows;
end
$$;
grant execute on function public.get_version_lineage to authenticated, service_role;

-- Imports the history of another project into a package of the caller, and returns how many events
-- were new. With p_dry_run everything is taken back that it did. Idempotent.
create function public.import_training_events(
    p_package_id uuid,
    p_events jsonb,
    p_dry_run boolean default false
)
returns integer
set search_path = ''
language plpgsql
as $$
declare
    added integer;
begin
    begin
        added := training_versions_internal.import_events(p_package_id, p_events);
        if p_dry_run is true then
            raise exception using errcode = 'DRYRN';  -- takes it back, as above
        end if;
    exception
        when sqlstate 'DRYRN' then
            null;
    end;
    return added;
end
$$;
grant execute on function public.import_training_events to authenticated, service_role;

-- Imports versions of another project into a package of the caller; with p_check_only it only
-- checks whether their ids and numbers are free. p_package creates the package first: name,
-- template_type, config_json, user_id. With p_dry_run everything is taken back that it did.
-- Idempotent.
create function public.import_training_versions(
    p_package_id uuid,
    p_versions jsonb,
    p_check_only boolean default false,
    p_package jsonb default null,
    p_dry_run boolean default false
)
returns jsonb
set search_path = ''
language plpgsql
as $$
declare
    outcome pg_catalog.jsonb;
begin
    begin
        -- In one transaction with its first versions: an import that fails leaves no empty package.
        if p_package is not null and p_check_only is not true then
            perform public.create_training_package(
                p_package ->> 'name', p_package ->> 'template_type', p_package -> 'config_json',
                p_package_id, (p_package ->> 'user_id')::pg_catalog.uuid
            );
        end if;
        outcome := training_versions_internal.import_versions(
            p_package_id, p_versions, p_check_only
        );
        if p_dry_run is true then
            -- All of it was done, so that all rules are asked. To leave this block by an exception
            -- takes it back; variables keep their values.
            raise exception using errcode = 'DRYRN';
        end if;
    exception
        when sqlstate 'DRYRN' then
            null;
    end;
    return outcome;
end
$$;
grant execute on function public.import_training_versions to authenticated, service_role;

-- Publishes a draft: from then on its content changes for nobody. Publishing what is published
-- returns it.
create function public.publish_training_version(
    p_version_id uuid,
    p_name text default null,
    p_expected_updated_at timestamp with time zone default null
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.lock_version(p_version_id, true);
    if version.status = 'published' then
        return version;
    end if;
    if version.status = 'archived' then
        perform training_versions_internal.refuse_status(
            'TV203',
            version,
            'is archived and cannot be published again',
            'Create a new draft from it.'
        );
    end if;
    perform training_versions_internal.check_draft_and_token(version, p_expected_updated_at);

    -- The one setting that a trigger reads. Publishing with a name that the draft has already
    -- changes no column, so the row cannot say that the name was given and is not to be
    -- shortened. A client that sets it only keeps the name of its own version.
    perform set_config(
        'training_versions.keep_name', case when p_name is null then '' else 'on' end, true
    );
    update public.training_package_versions
    set status = 'published', name = coalesce(p_name, name)
    where id = p_version_id
    returning * into version;
    perform set_config('training_versions.keep_name', '', true);
    return version;
end
$$;
grant execute on function public.publish_training_version to authenticated, service_role;

-- Adds a cost to a version; alerts are the shares of the budget that this call crossed. Idempotent:
-- with the same p_key a cost counts once, and a repeat with the same p_entry_id returns the same
-- entry with its alerts.
create function public.record_training_cost(
    p_version_id uuid,
    p_amount numeric,
    p_note text default null,
    p_key text default null,
    p_alert_at integer[] default '{50,80,100}',
    p_entry_id uuid default null
)
returns jsonb
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.record_cost(
        p_version_id, p_amount, p_note, p_key, p_alert_at, p_entry_id
    );
end
$$;
grant execute on function public.record_training_cost to authenticated, service_role;

-- Merges metrics into training_metrics; with a step, numbers also become points of the run's
-- curves. With p_run_id only while that run is running. Idempotent.
create function public.record_version_metrics(
    p_version_id uuid,
    p_metrics jsonb,
    p_step bigint default null,
    p_run_id uuid default null
)
returns public.training_package_version_summaries
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.record_metrics(p_version_id, p_metrics, p_step, p_run_id);
end
$$;
grant execute on function public.record_version_metrics to authenticated, service_role;

-- Makes a new draft with the content of an old version, which becomes its parent.
create function public.restore_training_version(
    p_version_id uuid,
    p_name text default null,
    p_change_summary text default null,
    p_new_version_id uuid default null
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.copy_version(
        'restored', p_version_id, null, p_name, p_change_summary, p_new_version_id
    );
end
$$;
grant execute on function public.restore_training_version to authenticated, service_role;

-- Starts training of a version; refused while it is running. Idempotent: repeated with the same
-- p_run_id it changes nothing.
create function public.start_version_training(
    p_version_id uuid,
    p_run_id uuid default null
)
returns public.training_runs
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.start_training(p_version_id, p_run_id);
end
$$;
grant execute on function public.start_version_training to authenticated, service_role;

-- When a package was created, 1970 if that is not known; packages are listed in its order.
-- When a package was created, to order by: a computed column, since created_at of an older table
-- may be missing, null or without a time zone. Where it is missing, its name below is found in
-- `unknown`.
create function public.training_package_made_at(p_package public.training_configs)
returns timestamp with time zone
stable
set search_path = ''
language sql
as $$
    select coalesce(
        (
            select case
                when pg_typeof(created_at) = 'pg_catalog.timestamptz'::regtype
                    then created_at::pg_catalog.timestamptz
                else created_at::pg_catalog.timestamp at time zone 'UTC'
            end
            from (select (p_package).*) as package
        ),
        'epoch'
    )
    from (select null::pg_catalog.timestamptz as created_at) as unknown
$$;
grant execute on function public.training_package_made_at to authenticated, service_role;

-- A version without its snapshots, as a computed column.
-- The summary of a version that a function returns, as a computed column: its name is short to
-- parse, where PostgREST takes longer to read the names of two dozen columns than to answer.
-- Volatile, so that it sees what that function has just written.
create function public.training_version_summary(p_version public.training_package_versions)
returns public.training_package_version_summaries
set search_path = ''
language plpgsql
as $$
begin
    return (
        select s from public.training_package_version_summaries s where s.id = p_version.id
    );
end
$$;
grant execute on function public.training_version_summary to authenticated, service_role;

-- Ends the deployment of a version at a target, or at all of them. Idempotent: repeated with the
-- same p_call_id it ends no later one.
create function public.undeploy_training_version(
    p_version_id uuid,
    p_target text default null,
    p_call_id uuid default null
)
returns public.training_package_version_summaries
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.undeploy(p_version_id, p_target, p_call_id);
end
$$;
grant execute on function public.undeploy_training_version to authenticated, service_role;

-- Changes what p_changes names of a draft; null clears. An edit that changes nothing succeeds.
create function public.update_training_draft(
    p_version_id uuid,
    p_changes jsonb,
    p_expected_updated_at timestamp with time zone default null
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    usual_work_mem constant pg_catalog.text := current_setting('work_mem');
    version public.training_package_versions;
begin
    perform training_versions_internal.check_fields(
        'p_changes', p_changes, training_versions_internal.editable_columns()
    );
    version := training_versions_internal.lock_version(p_version_id);
    if version.status = 'draft' and jsonb_populate_record(version, p_changes) *= version then
        return version;
    end if;
    perform training_versions_internal.check_draft_and_token(version, p_expected_updated_at);

    -- So that the new entries that a GIN index has collected (gin_pending_list_limit) are sorted in
    -- at once: in portions of the usual 4 MB, each entry of a large draft would be written often.
    perform set_config('work_mem', '64MB', true);
    execute format(
        'update public.training_package_versions
        set (%1$s) = (
            select %1$s from jsonb_populate_record(null::public.training_package_versions, $1)
        )
        where id = $2
        returning *',
        (select string_agg(k, ', ') from jsonb_object_keys(p_changes) as k)
    )
    into version
    using p_changes, p_version_id;
    perform set_config('work_mem', usual_work_mem, true);
    return version;
end
$$;
grant execute on function public.update_training_draft to authenticated, service_role;

-- Changes what p_changes names of a package: name, template_type, config_json. An edit that changes
-- nothing succeeds.
create function public.update_training_package(p_package_id uuid,
    p_changes jsonb)
returns public.training_configs
set search_path = ''
language plpgsql
as $$
declare
    package public.training_configs;
    wanted public.training_configs;
begin
    perform training_versions_internal.check_fields(
        'p_changes', p_changes, array['name', 'template_type', 'config_json']
    );
    select * into package
    from public.training_configs c
    where c.id = p_package_id
    for no key update;
    if not found then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;

    wanted := jsonb_populate_record(package, p_changes);
    if p_changes ? 'name' then
        perform training_versions_internal.check_text('name', wanted.name, 255);
    end if;
    if p_changes ? 'template_type' then
        perform training_versions_internal.check_text('template_type', wanted.template_type, 100);
    end if;
    if p_changes ? 'config_json' then
        perform training_versions_internal.check_snapshot(
            'config_json', wanted.config_json::pg_catalog.jsonb, 'object'
        );
    end if;

    if record_image_ne(row(to_jsonb(wanted)), row(to_jsonb(package))) then
        update public.training_configs
        set name = wanted.name,
            template_type = wanted.template_type,
            config_json = wanted.config_json
        where id = p_package_id
        returning * into package;
    end if;
    return package;
end
$$;
grant execute on function public.update_training_package to authenticated, service_role;

-- Bookkeeping and rules of training_package_versions. Never expose it through the API.
create schema training_versions_internal;
revoke all on schema training_versions_internal from public;
revoke all on all functions in schema training_versions_internal from public;
grant usage on schema training_versions_internal to authenticated;
grant usage on schema training_versions_internal to service_role;

-- Idempotency keys of calls that ended training, deployed or undeployed. Invariant: a repeated call
-- changes nothing, whatever happened since.
create table training_versions_internal.calls (
    call_id uuid not null,
    version_id uuid not null,
    operation text not null,
    run_id uuid,
    constraint calls_pkey primary key (call_id),
    constraint calls_version_id_fkey foreign key (version_id) references public.training_package_versions(id) on delete cascade
);
create index idx_calls_version on training_versions_internal.calls (version_id);
alter table training_versions_internal.calls enable row level security;

-- What was asked for, as a hash, by the call that created something with an id that the caller
-- chose: a repeat must ask for the same, also after the row was edited. Written by claim_id; that
-- of a package or version is deleted with it. Calls that create no row of their id keep theirs in
-- calls.
create table training_versions_internal.claims (
    kind text not null,
    id uuid not null,
    asked uuid not null,
    constraint claims_pkey primary key (id, kind)
);
alter table training_versions_internal.claims enable row level security;

-- The sum of the entries of a version, kept so that no write has to read them all.
create table training_versions_internal.cost_sums (
    version_id uuid not null,
    total numeric not null,
    constraint cost_sums_pkey primary key (version_id),
    constraint cost_sums_version_id_fkey foreign key (version_id) references public.training_package_versions(id) on delete cascade
);
alter table training_versions_internal.cost_sums enable row level security;

-- Deleted drafts, and deleted packages (version_number is null), without their content. Keeps their
-- numbers from being given again, and makes a repeated deletion succeed. The id of a draft may be
-- inserted and deleted again, so it is not unique.
create table training_versions_internal.deletions (
    deletion_id bigint not null generated always as identity,
    id uuid not null,
    package_id uuid not null,
    version_number integer,
    owner_id uuid,
    deleted_at timestamp with time zone not null default now(),
    constraint deletions_pkey primary key (deletion_id)
);
create index idx_deletions_id on training_versions_internal.deletions (id);
create index idx_deletions_number on training_versions_internal.deletions (package_id, version_number);
alter table training_versions_internal.deletions enable row level security;

-- The transactions that import versions right now. Imported versions keep their status and
-- timestamps. Invariant: empty for everybody but the importing transaction.
create table training_versions_internal.imports (
    transaction_id xid8 not null,
    constraint imports_pkey primary key (transaction_id)
);
alter table training_versions_internal.imports enable row level security;

-- Highest version number given in a package. Invariant: it never goes down, so that no number is
-- given twice. Written under the lock on the package.
create table training_versions_internal.package_numbers (
    package_id uuid not null,
    last_number integer not null default 0,
    constraint package_numbers_pkey primary key (package_id),
    constraint package_numbers_package_id_fkey foreign key (package_id) references public.training_configs(id) on delete cascade
);
alter table training_versions_internal.package_numbers enable row level security;

-- How a version came to be, unless it was simply created. Written before the version, in the same
-- transaction, which fails if there is no such version at its end.
create table training_versions_internal.version_origins (
    version_id uuid not null,
    kind text not null,
    details jsonb not null,
    constraint version_origins_pkey primary key (version_id),
    constraint version_origins_version_id_fkey foreign key (version_id) references public.training_package_versions(id) on delete cascade deferrable initially deferred,
    constraint known_origin check (kind = any (array['restored', 'forked', 'imported']))
);
alter table training_versions_internal.version_origins enable row level security;

-- May the caller act for this user? What policies decide elsewhere, for use in definer functions.
create function training_versions_internal.acts_for(p_user_id uuid)
returns boolean
stable
set search_path = ''
language plpgsql
as $$
begin
    return coalesce(p_user_id = auth.uid(), false) or training_versions_internal.acts_for_all();
end
$$;
grant execute on function training_versions_internal.acts_for to authenticated, service_role;

-- May the caller act for every user? Roles that bypass row level security may (the service role,
-- the owner of the tables), whether or not their token names a user; no other role may. Inside a
-- definer function `current_user` is its owner, so this asks for the role that was set.
create function training_versions_internal.acts_for_all()
returns boolean
stable
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from pg_catalog.pg_roles r
        where r.rolname = coalesce(nullif(current_setting('role'), 'none'), session_user)
            and (r.rolbypassrls or r.rolsuper)
    );
end
$$;
grant execute on function training_versions_internal.acts_for_all to authenticated, service_role;

-- Adds an entry and its events, its amount to actual_cost, and its alerts to cost_alerts_sent.
create function training_versions_internal.add_cost_entry(
    p_version public.training_package_versions,
    p_amount numeric,
    p_note text,
    p_key text,
    p_alerts integer[],
    p_entry_id uuid
)
returns public.training_costs
set search_path = ''
language plpgsql
as $$
declare
    entry public.training_costs;
    share integer;
begin
    entry := training_versions_internal.insert_cost_entry(
        p_version, p_amount, p_note, p_key, p_alerts, p_entry_id
    );
    if p_alerts <> '{}' then
        p_version.cost_alerts_sent := training_versions_internal.sent_alerts(p_version);
    end if;
    update public.training_package_versions
    set actual_cost = coalesce(actual_cost, 0) + p_amount,
        cost_alerts_sent = p_version.cost_alerts_sent
    where id = p_version.id
    returning * into p_version;

    perform training_versions_internal.record_event(
        p_version.id, 'cost_recorded',
        jsonb_build_object('amount', p_amount, 'note', p_note, 'key', p_key)
    );
    foreach share in array p_alerts loop
        perform training_versions_internal.record_event(
            p_version.id, 'cost_alert',
            jsonb_build_object(
                'share', share, 'actual_cost', p_version.actual_cost,
                'budget_limit', p_version.budget_limit
            )
        );
    end loop;
    return entry;
end
$$;

-- Adds the numbers among the metrics to the curves of the run.
create function training_versions_internal.add_points(
    p_version public.training_package_versions,
    p_run public.training_runs,
    p_metrics jsonb,
    p_step bigint
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    -- Beyond these bounds the cast below would fail, or turn a small number into 0.
    if exists (
        select from jsonb_each(p_metrics) as m
        where jsonb_typeof(m.value) = 'number'
            and (m.value #>> '{}')::numeric <> 0
            and abs((m.value #>> '{}')::numeric) not between 4.95e-324 and 1.7e308
    ) then
        perform training_versions_internal.refuse_value(
            'metrics',
            'a metric with a step must be within double precision',
            'Leave step out to keep it without a curve.'
        );
    end if;
    if p_run.id is null then
        perform training_versions_internal.refuse(
            'TV205',
            format(
                'training of %s has not started, so it has no steps',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                )
            ),
            jsonb_build_object(
                'version_id', p_version.id, 'training_status', p_version.training_status,
                'wanted', 'running'
            ),
            'Start training first, or leave step out.'
        );
    end if;
    insert into public.training_metric_points as p (run_id, name, step, value, owner_id)
    select p_run.id, m.key, p_step, (m.value #>> '{}')::double precision, p_version.created_by
    from jsonb_each(p_metrics) as m
    where jsonb_typeof(m.value) = 'number'
    -- A repeat leaves recorded_at as it is.
    on conflict (run_id, name, step) do update
        set value = excluded.value, recorded_at = excluded.recorded_at
        where p.value <> excluded.value;
end
$$;

-- Adds a column of the versions to both views of versions, for a migration that adds such a column.
create function training_versions_internal.add_to_views(p_column text)
returns void
set search_path = ''
language plpgsql
as $$
declare
    view_name pg_catalog.regclass;
    condition pg_catalog.text;
    columns pg_catalog.text[];
begin
    for view_name, condition in
        values
            ('public.training_package_version_summaries'::regclass, 'true'),
            ('public.training_published_versions'::regclass, 'v.status = ''published''')
    loop
        select array_agg(a.attname::pg_catalog.text order by a.attnum) into columns
        from pg_catalog.pg_attribute a
        where a.attrelid = view_name and a.attnum > 0;
        if p_column <> all (columns) then
            execute format(
                'create or replace view %s with (security_invoker = true)'
                ' as select %s from public.training_package_versions v where %s',
                view_name,
                (select string_agg(format('v.%I', c), ', ') from unnest(columns || p_column) as c),
                condition
            );
        end if;
    end loop;
end
$$;

-- Archives a published version. Definer, because the update policy covers drafts only.
create function training_versions_internal.archive_version(p_version_id uuid)
returns void
security definer
set search_path = ''
language plpgsql
as $$
begin
    update public.training_package_versions
    set status = 'archived'
    where id = p_version_id
        and status = 'published'
        and training_versions_internal.acts_for(created_by);
end
$$;
grant execute on function training_versions_internal.archive_version to authenticated, service_role;

-- Makes a version the live one at a target, under the lock on the package. The deployment before it
-- ends at the timestamp at which this one starts, so that the target is never without a version.
create function training_versions_internal.begin_deployment(
    p_version public.training_package_versions,
    p_target text,
    p_url text,
    p_deployment_id text,
    p_id uuid default gen_random_uuid()
)
returns void
set search_path = ''
language plpgsql
as $$
declare
    began_at constant pg_catalog.timestamptz := clock_timestamp();
    replaced_id pg_catalog.uuid;
begin
    perform training_versions_internal.check_deployable(p_version);
    select d.version_id into replaced_id
    from public.training_deployments d
    where d.package_id = p_version.package_id and d.target = p_target and d.ended_at is null;
    if found then
        perform training_versions_internal.end_deployments(replaced_id, p_target, began_at);
        if replaced_id <> p_version.id then
            perform training_versions_internal.show_deployment(replaced_id);
        end if;
    end if;

    insert into public.training_deployments (
        id, package_id, version_id, version_number, owner_id,
        target, url, deployment_id, started_at, started_by
    )
    values (
        p_id, p_version.package_id, p_version.id, p_version.version_number, p_version.created_by,
        p_target, p_url, p_deployment_id, began_at, auth.uid()
    );
    perform training_versions_internal.record_event(
        p_version.id, 'deployed', jsonb_build_object('target', p_target, 'url', p_url)
    );
end
$$;

-- Inserts a run that begins now; null if there is one with this id.
create function training_versions_internal.begin_run(
    p_version public.training_package_versions,
    p_run_id uuid
)
returns public.training_runs
set search_path = ''
language sql
as $$
    insert into public.training_runs (id, version_id, owner_id, started_at, started_by)
    values (
        coalesce(p_run_id, gen_random_uuid()), p_version.id, p_version.created_by,
        clock_timestamp(), auth.uid()
    )
    on conflict (id) do nothing
    returning *
$$;

-- The paths at which two JSON values differ, as JSON Pointers: the first p_most of them, at most
-- eight levels deep. Arrays are compared whole. Objects are compared key by key, and by recursion.
create function training_versions_internal.changed_paths(
    p_old jsonb,
    p_new jsonb,
    p_path text,
    p_most integer,
    p_levels integer default 8
)
returns setof text
immutable
set search_path = ''
language plpgsql
as $$
declare
    inner_key pg_catalog.text;
    old_value pg_catalog.jsonb;
    new_value pg_catalog.jsonb;
    found_here integer;
begin
    if record_image_eq(row(p_old), row(p_new)) then
        return;
    end if;
    if p_levels = 0
        or jsonb_typeof(p_old) is distinct from 'object'
        or jsonb_typeof(p_new) is distinct from 'object'
    then
        return next p_path;
        return;
    end if;
    for inner_key, old_value, new_value in
        select key, o.value, n.value
        from jsonb_each(p_old) as o
        full join jsonb_each(p_new) as n using (key)
        where record_image_ne(row(o.value), row(n.value))
        order by key
        limit p_most  -- each has one path at least
    loop
        return query
        select p
        from training_versions_internal.changed_paths(
            old_value,
            new_value,
            p_path || '/' || replace(replace(inner_key, '~', '~0'), '/', '~1'),
            p_most,
            p_levels - 1
        ) as p;
        get diagnostics found_here = row_count;
        p_most := p_most - found_here;
        exit when p_most <= 0;
    end loop;
end
$$;

-- The snapshots in which two states of a version differ.
create function training_versions_internal.changed_snapshots(
    p_old public.training_package_versions,
    p_new public.training_package_versions
)
returns text[]
set search_path = ''
language plpgsql
as $$
begin
    return array(
        select s.place
        from (
            values
                ('config_snapshot', p_old.config_snapshot, p_new.config_snapshot),
                ('model_snapshot', p_old.model_snapshot, p_new.model_snapshot),
                ('dataset_snapshot', p_old.dataset_snapshot, p_new.dataset_snapshot)
        ) as s (place, before, after)
        where record_image_ne(row(s.before), row(s.after))
    );
end
$$;

-- A cost is a number of cents between 0 and 99,999,999.99, or null.
create function training_versions_internal.check_cost(p_field text,
    p_value numeric)
returns void
immutable
set search_path = ''
language plpgsql
as $$
begin
    if p_value not between 0 and 99999999.99 or p_value <> round(p_value, 2) then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s must be between 0 and 99,999,999.99 with at most two decimals', p_field),
            'Round it to cents.'
        );
    end if;
end
$$;
grant execute on function training_versions_internal.check_cost to authenticated, service_role;

-- Checks the arguments of record_cost.
create function training_versions_internal.check_cost_entry(
    p_amount numeric,
    p_note text,
    p_key text,
    p_alert_at integer[]
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    -- The check lets null pass, for columns that may be empty; an amount may not.
    perform training_versions_internal.check_cost('amount', coalesce(p_amount, 'NaN'));
    if p_note is not null then
        perform training_versions_internal.check_text('note', p_note, 1000);
    end if;
    if p_key is not null then
        perform training_versions_internal.check_text('key', p_key, 255);
    end if;
    if exists (select from unnest(p_alert_at) as s where s is null or s not between 1 and 1000) then
        perform training_versions_internal.refuse_value(
            'alert_at',
            'alert_at must be shares of the budget between 1 and 1000 percent',
            'Whole numbers, such as 50, 80 and 100.'
        );
    end if;
end
$$;

-- Refuses to deploy a version that is not published, or that lies in another user's package, as
-- some older data do.
create function training_versions_internal.check_deployable(p_version public.training_package_versions)
returns void
set search_path = ''
language plpgsql
as $$
begin
    if p_version.status = 'draft' then
        perform training_versions_internal.refuse_status(
            'TV206', p_version, 'is a draft and cannot be deployed', 'Publish it first.'
        );
    elsif p_version.status = 'archived' then
        perform training_versions_internal.refuse_status(
            'TV206',
            p_version,
            'is archived and cannot be deployed',
            'Restore it, and publish the draft.'
        );
    end if;
    if not exists (
        select from public.training_configs c
        where c.id = p_version.package_id and c.user_id is not distinct from p_version.created_by
    ) then
        perform training_versions_internal.refuse(
            '42501',
            format(
                'version %s lies in package %s, which is another user''s',
                p_version.version_number, p_version.package_id
            ),
            p_hint => 'Fork it into a package of your own.'
        );
    end if;
end
$$;

-- Refuses a version that is not a draft, or whose content was edited since the caller read it
-- (optimistic concurrency). The token is the updated_at that the caller read: any since the last
-- edit will do, as training, deployment and cost move it, too. Without a token any state of the
-- draft will do.
create function training_versions_internal.check_draft_and_token(
    p_version public.training_package_versions,
    p_expected_updated_at timestamp with time zone,
    p_instead text default 'Create a new draft from it.'
)
returns void
stable
set search_path = ''
language plpgsql
as $$
begin
    if p_version.status <> 'draft' then
        perform training_versions_internal.refuse_status(
            'TV202',
            p_version,
            format('is %s; its content never changes', p_version.status),
            p_instead
        );
    end if;
    if p_expected_updated_at
        not between least(p_version.content_updated_at, p_version.updated_at)
        and p_version.updated_at
    then
        perform training_versions_internal.refuse(
            'TV201',
            format(
                '%s has changed since you read it',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                )
            ),
            jsonb_build_object(
                'version_id', p_version.id,
                'expected_updated_at', p_expected_updated_at,
                'updated_at', p_version.updated_at
            ),
            'Read it again, and repeat your change on what you find.'
        );
    end if;
end
$$;
grant execute on function training_versions_internal.check_draft_and_token to authenticated, service_role;

-- Events are an array of objects, each of them with values that readers can hold.
create function training_versions_internal.check_events(p_events jsonb)
returns void
set search_path = ''
language plpgsql
as $$
declare
    place bigint;
    wrong pg_catalog.text;
begin
    perform training_versions_internal.check_snapshot('p_events', p_events, 'array');
    select i.place, w.wrong into place, wrong
    from jsonb_array_elements(p_events) with ordinality as i (item, place)
    cross join lateral training_versions_internal.wrong_column(
        jsonb_populate_record(null::public.training_version_events, i.item)
    ) as w (wrong)
    where w.wrong is not null
    order by i.place
    limit 1;
    if found then
        perform training_versions_internal.refuse_value(
            'p_events',
            format('%s of event %s is missing or not acceptable', wrong, place),
            'Times lie between the year 1 and tomorrow, and last_at is not before occurred_at; '
            'numbers are at most 1,000,000,000; details is an object.'
        );
    end if;
end
$$;

-- What a function takes as p_fields or p_changes: an object of columns that it knows. Texts must be
-- sent as texts, and costs are checked here because their columns would round them.
create function training_versions_internal.check_fields(p_argument text,
    p_fields jsonb,
    p_columns text[])
returns void
immutable
set search_path = ''
language plpgsql
as $$
declare
    unknown pg_catalog.text;
begin
    if jsonb_typeof(p_fields) is distinct from 'object' then
        unknown := p_argument;
    elsif p_fields - p_columns <> '{}' then
        select k into unknown
        from jsonb_object_keys(p_fields) as k
        where k <> all (p_columns)
        limit 1;
    end if;
    if unknown is not null then
        perform training_versions_internal.refuse_value(
            unknown,
            format('%s is not something that can be changed', unknown),
            format('%s is an object with any of: %s.', p_argument, array_to_string(p_columns, ', '))
        );
    end if;
    -- By name: to go through all fields is to copy the snapshots.
    if jsonb_typeof(p_fields -> 'name') not in ('string', 'null')
        or jsonb_typeof(p_fields -> 'template_type') not in ('string', 'null')
        or jsonb_typeof(p_fields -> 'change_summary') not in ('string', 'null')
    then
        perform training_versions_internal.refuse_value(
            p_argument,
            'name, template_type and change_summary must be text'
        );
    end if;
    if p_fields ?| array['estimated_cost', 'budget_limit'] then
        perform training_versions_internal.check_cost(
            'estimated_cost', (p_fields ->> 'estimated_cost')::numeric
        );
        perform training_versions_internal.check_cost(
            'budget_limit', (p_fields ->> 'budget_limit')::numeric
        );
    end if;
end
$$;
grant execute on function training_versions_internal.check_fields to authenticated, service_role;

-- Refuses to train a version that is archived, or in training already. The trigger does not refuse
-- an archived version, because the service role may record its training later.
create function training_versions_internal.check_may_train(p_version public.training_package_versions)
returns void
set search_path = ''
language plpgsql
as $$
declare
    details constant pg_catalog.jsonb := jsonb_build_object(
        'version_id', p_version.id, 'training_status', p_version.training_status,
        'wanted', 'running'
    );
begin
    if p_version.status = 'archived' then
        perform training_versions_internal.refuse(
            'TV205',
            format(
                '%s is archived and is not trained any more',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                )
            ),
            details || jsonb_build_object('status', p_version.status),
            'Restore it, and train the draft.'
        );
    end if;
    if p_version.training_status = 'running' then
        perform training_versions_internal.refuse(
            'TV205',
            format(
                'training of %s is running already',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                )
            ),
            details,
            'Wait for it to end, or cancel it.'
        );
    end if;
end
$$;

-- A timestamp is one that every reader can hold: in the years 1 to 9999, and not in the future. (A
-- day is allowed for clocks that differ.) Null passes.
create function training_versions_internal.check_moment(p_field text,
    p_value timestamp with time zone)
returns void
stable
set search_path = ''
language plpgsql
as $$
begin
    if p_value not between '0001-01-01 00:00:00+00' and clock_timestamp() + interval '1 day' then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s must lie between the year 1 and tomorrow', p_field)
        );
    end if;
end
$$;

-- A user creates packages for themselves; a role without a user names the owner.
create function training_versions_internal.check_new_owner(p_user_id uuid)
returns void
stable
set search_path = ''
language plpgsql
as $$
begin
    if p_user_id is null then
        perform training_versions_internal.refuse_value(
            'user_id',
            'user_id must say whose package it is',
            'The service role acts for nobody in particular: pass the owner''s user_id.'
        );
    end if;
    if p_user_id <> auth.uid() then
        perform training_versions_internal.refuse(
            '42501',
            'user_id must be the user who creates',
            jsonb_build_object('field', 'user_id'),
            'Leave user_id out.'
        );
    end if;
end
$$;
grant execute on function training_versions_internal.check_new_owner to authenticated, service_role;

-- The numbers in a JSON value are such that every reader can read them: Python reads integers of at
-- most 4,300 digits, and one that is longer would hide all rows that are read together with it.
create function training_versions_internal.check_numbers(p_field text,
    p_value jsonb)
returns void
immutable
set search_path = ''
language plpgsql
as $$
begin
    if jsonb_path_exists(p_value, 'strict $.** ? (@ >= 1e4300 || @ <= -1e4300)') then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s has a number of more than 4,300 digits', p_field),
            'Send it as text.'
        );
    end if;
end
$$;
grant execute on function training_versions_internal.check_numbers to authenticated, service_role;

-- Nobody puts a version into a package that is not theirs, or signs for someone else. Fires only
-- for roles to which policies apply. Invoker, because it needs nothing else.
create function training_versions_internal.check_package_owner()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    if not training_versions_internal.lock_own_package(new.package_id) then
        perform training_versions_internal.refuse(
            '42501',
            format('there is no package %s of yours', new.package_id),
            p_hint => 'Create the package first, signed in as the same user.'
        );
    end if;
    if new.created_by <> auth.uid() then
        perform training_versions_internal.refuse(
            '42501',
            'created_by must be the user who creates',
            jsonb_build_object('field', 'created_by'),
            'Leave created_by out.'
        );
    end if;
    return new;
end
$$;

-- The values of a package, where they are new: rows from before these rules keep theirs. Where a
-- column may be null, which in an older table is the app's decision, null passes. The casts are for
-- such tables, too: their columns may be of types `varchar` and `json`. Definer: it serves every
-- role that may write the table, also one that may not call the checks.
create function training_versions_internal.check_package_values()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    is_insert constant boolean := tg_op = 'INSERT';
begin
    if new.name is not null and (is_insert or new.name is distinct from old.name) then
        perform training_versions_internal.check_text('name', new.name::pg_catalog.text, 255);
    end if;
    if new.template_type is not null
        and (is_insert or new.template_type is distinct from old.template_type)
    then
        perform training_versions_internal.check_text(
            'template_type', new.template_type::pg_catalog.text, 100
        );
    end if;
    if new.config_json is not null
        and (
            is_insert
            or record_image_ne(
                row(new.config_json::pg_catalog.jsonb), row(old.config_json::pg_catalog.jsonb)
            )
        )
    then
        perform training_versions_internal.check_snapshot(
            'config_json', new.config_json::pg_catalog.jsonb, 'object'
        );
    end if;
    return new;
end
$$;

-- A parent is another version by the same user, and nobody is their own ancestor.
create function training_versions_internal.check_parent()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if new.parent_version_id is not distinct from old.parent_version_id then
        return new;
    end if;
    if not exists (
        select from public.training_package_versions p
        where p.id = new.parent_version_id and p.created_by = new.created_by
    ) then
        perform training_versions_internal.refuse(
            'TV103',
            format('there is no version %s that could be the parent', new.parent_version_id),
            jsonb_build_object('field', 'parent_version_id'),
            'The parent must be a version of the same user.'
        );
    end if;
    if tg_op = 'INSERT' then
        return new;  -- it has no descendants yet
    end if;
    -- One change of parents at a time per user: of two at once, neither would see the other, and
    -- together they could close a circle. An advisory lock, because the rows that would have to be
    -- locked are all those of the user.
    perform pg_advisory_xact_lock(
        hashtext('training_versions.parent_version_id'),
        hashtext(new.created_by::pg_catalog.text)
    );
    if exists (
        with recursive ancestors (id, parent_version_id) as (
            select p.id, p.parent_version_id
            from public.training_package_versions p
            where p.id = new.parent_version_id
            union
            select p.id, p.parent_version_id
            from public.training_package_versions p
            join ancestors a on p.id = a.parent_version_id
        )
        select from ancestors where id = new.id
    ) then
        perform training_versions_internal.refuse(
            'TV307',
            format(
                '%s would become its own ancestor',
                training_versions_internal.version_label(new.package_id, new.version_number)
            ),
            jsonb_build_object('field', 'parent_version_id'),
            'Choose a parent that does not descend from it.'
        );
    end if;
    return new;
end
$$;

-- The timestamps that a client gives for a run can be those of one. p_start is when it began,
-- whoever says so.
create function training_versions_internal.check_run_times(
    p_given_start timestamp with time zone,
    p_given_end timestamp with time zone,
    p_start timestamp with time zone
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.check_moment('training_started_at', p_given_start);
    perform training_versions_internal.check_moment('training_completed_at', p_given_end);
    if p_given_end < p_start then
        perform training_versions_internal.refuse_value(
            'training_completed_at',
            'training_completed_at must not be before training_started_at',
            'Give both, or leave both out: the database sets them.'
        );
    end if;
end
$$;

-- Refuses a call about a run that has ended, such as one of a worker that was replaced.
create function training_versions_internal.check_running(p_run public.training_runs,
    p_wanted text)
returns void
set search_path = ''
language plpgsql
as $$
begin
    if p_run.status <> 'running' then
        perform training_versions_internal.refuse(
            'TV205',
            format('run %s is %s already', p_run.id, p_run.status),
            jsonb_build_object(
                'version_id', p_run.version_id, 'run_id', p_run.id,
                'training_status', p_run.status, 'wanted', p_wanted
            ),
            'It is over: another run may have started since.'
        );
    end if;
end
$$;

-- A snapshot has the shape that readers rely on: 'object', or 'array' of objects.
create function training_versions_internal.check_snapshot(p_field text,
    p_value jsonb,
    p_type text)
returns void
immutable
set search_path = ''
language plpgsql
as $$
declare
    expected pg_catalog.text := 'object';
    empty_one pg_catalog.text := '{}';
begin
    if p_type = 'array' then
        expected := 'array of objects';
        empty_one := '[]';
    end if;
    if jsonb_typeof(p_value) is distinct from p_type
        or p_type = 'array' and jsonb_path_exists(p_value, 'strict $[*] ? (@.type() <> "object")')
    then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s must be a JSON %s', p_field, expected),
            format('Send it as JSON, not as text; an empty one is %s.', empty_one)
        );
    end if;
    perform training_versions_internal.check_numbers(p_field, p_value);
end
$$;
grant execute on function training_versions_internal.check_snapshot to authenticated, service_role;

-- A target is one of those that the tables know.
create function training_versions_internal.check_target(p_target text)
returns void
set search_path = ''
language plpgsql
as $$
begin
    if p_target is null or p_target not in ('local', 'hf_space') then
        perform training_versions_internal.refuse_value(
            'target',
            'target must be local or hf_space',
            'Pass one of these two.'
        );
    end if;
end
$$;

-- A text is not blank and not longer than it may be.
create function training_versions_internal.check_text(p_field text,
    p_value text,
    p_longest integer)
returns void
immutable
set search_path = ''
language plpgsql
as $$
begin
    if p_value is null or p_value !~ '\S' or char_length(p_value) > p_longest then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s must have 1 to %s characters that are not all blank', p_field, p_longest),
            'Shorten it, or write at least one character that is not blank.'
        );
    end if;
end
$$;
grant execute on function training_versions_internal.check_text to authenticated, service_role;

-- The values of a version, where they are new: rows from before these rules keep theirs. Snapshots
-- of an update are checked by keep_snapshots(), where a statement names them. Definer:
-- it serves every role that may write the table, also one that may not call the checks.
create function training_versions_internal.check_values()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    is_insert constant boolean := tg_op = 'INSERT';
begin
    new.is_deployed := coalesce(new.is_deployed, false);
    if is_insert or new.name is distinct from old.name then
        perform training_versions_internal.check_text('name', new.name, 255);
    end if;
    if is_insert then
        perform training_versions_internal.check_snapshot(
            'config_snapshot', new.config_snapshot, 'object'
        );
        perform training_versions_internal.check_snapshot(
            'model_snapshot', new.model_snapshot, 'object'
        );
        perform training_versions_internal.check_snapshot(
            'dataset_snapshot', new.dataset_snapshot, 'array'
        );
    end if;
    -- In an insert `old` is null.
    if new.change_summary is distinct from old.change_summary
        and char_length(new.change_summary) > 10000
    then
        perform training_versions_internal.refuse_value(
            'change_summary',
            'change_summary must have at most 10000 characters'
        );
    end if;
    if new.training_metrics is distinct from old.training_metrics then
        perform training_versions_internal.check_numbers('training_metrics', new.training_metrics);
    end if;
    if new.cost_alerts_sent is distinct from old.cost_alerts_sent then
        perform training_versions_internal.check_numbers('cost_alerts_sent', new.cost_alerts_sent);
    end if;
    if new.estimated_cost is distinct from old.estimated_cost then
        perform training_versions_internal.check_cost('estimated_cost', new.estimated_cost);
    end if;
    if new.actual_cost is distinct from old.actual_cost then
        perform training_versions_internal.check_cost('actual_cost', new.actual_cost);
    end if;
    if new.budget_limit is distinct from old.budget_limit then
        perform training_versions_internal.check_cost('budget_limit', new.budget_limit);
    end if;
    return new;
end
$$;

-- Claims an idempotency key, under the lock on the version. Returns false for a repeat, a call that
-- was carried out before. Refuses a key that another call has claimed. A call without a key is
-- never a repeat. p_operation says what is done, with the arguments in which a repeat must agree.
create function training_versions_internal.claim_call(
    p_call_id uuid,
    p_version_id uuid,
    p_operation text
)
returns boolean
set search_path = ''
language plpgsql
as $$
begin
    if p_call_id is null then
        return true;
    end if;
    insert into training_versions_internal.calls (call_id, version_id, operation)
    values (p_call_id, p_version_id, p_operation)
    on conflict do nothing;
    if found then
        return true;
    end if;
    if not exists (
        select from training_versions_internal.calls c
        where c.call_id = p_call_id
            and c.version_id = p_version_id
            and c.operation = p_operation
    ) then
        perform training_versions_internal.refuse_taken_id(p_call_id, 'was given to another call');
    end if;
    return false;
end
$$;

-- Claims an id for what a call is about to create with it. True if an earlier call claimed it for
-- the same, false if for something else, and null if nobody did: then it is claimed now, unless
-- this transaction fails. Definer, because nobody is granted the claims.
create function training_versions_internal.claim_id(p_kind text,
    p_id uuid,
    p_asked jsonb)
returns boolean
security definer
set search_path = ''
language plpgsql
as $$
declare
    hash constant pg_catalog.uuid := md5(p_asked::pg_catalog.text)::pg_catalog.uuid;
    claimed pg_catalog.uuid;
begin
    insert into training_versions_internal.claims (kind, id, asked)
    values (p_kind, p_id, hash)
    on conflict do nothing;
    if found then
        return null;
    end if;
    select c.asked into claimed
    from training_versions_internal.claims c
    where c.kind = p_kind and c.id = p_id;
    return claimed = hash;
end
$$;
grant execute on function training_versions_internal.claim_id to authenticated, service_role;

-- Does an imported version differ from the one that is here already? Its parent does not count,
-- which may be imported later, nor do its estimate and budget, which may change any time. Refuses
-- other content if both are frozen: a draft may have been edited, and published, since.
create function training_versions_internal.compare_imported(
    p_given public.training_package_versions,
    p_here public.training_package_versions
)
returns boolean
set search_path = ''
language plpgsql
as $$
declare
    content constant pg_catalog.text[] :=
        training_versions_internal.editable_columns() || '{version_number}';
    different pg_catalog.text[];
begin
    select coalesce(array_agg(d.column_name), '{}') into different
    from training_versions_internal.differences(p_here, p_given) as d
    where d.column_name = any (
        content || '{status,training_status,training_metrics,actual_cost}'
    ) and d.column_name not in ('parent_version_id', 'estimated_cost', 'budget_limit')
        and not coalesce(training_versions_internal.reads_alike(d.old_value, d.new_value), false);
    if p_here.status <> 'draft' and p_given.status <> 'draft' and different && content then
        perform training_versions_internal.refuse_import(
            p_given,
            training_versions_internal.version_label(p_given.package_id, p_given.version_number)
            || ' is there already, with other content'
        );
    end if;
    return different <> '{}';
end
$$;

-- Copies a version into a new draft: 'restored' in its own package, or 'forked' into another.
create function training_versions_internal.copy_version(
    p_kind text,
    p_version_id uuid,
    p_package_id uuid,
    p_name text,
    p_change_summary text,
    p_new_version_id uuid
)
returns public.training_package_versions
security definer
set search_path = ''
language plpgsql
as $$
declare
    new_id constant pg_catalog.uuid := coalesce(p_new_version_id, gen_random_uuid());
    source public.training_package_versions;
    version public.training_package_versions;
begin
    if p_new_version_id is not null and training_versions_internal.claim_id(
        'version',
        new_id,
        jsonb_build_array(p_kind, p_version_id, p_package_id, p_name, p_change_summary)
    ) = false then
        perform training_versions_internal.refuse_taken_id(new_id, 'was given to another call');
    end if;
    version := training_versions_internal.find_copy(p_kind, p_version_id, p_package_id, new_id);
    if version.id is not null then
        perform training_versions_internal.say_replayed();
        return version;
    end if;
    if p_kind = 'restored' then
        select v.package_id into p_package_id
        from public.training_package_versions v
        where v.id = p_version_id;
    end if;
    source := training_versions_internal.lock_source(p_version_id, p_package_id);
    if training_versions_internal.was_deleted(new_id, false) then
        perform training_versions_internal.refuse_taken_id(
            new_id, 'was a draft''s that is deleted'
        );
    end if;

    return training_versions_internal.insert_copy(
        p_kind, source, p_package_id, p_name, p_change_summary, new_id
    );
end
$$;
grant execute on function training_versions_internal.copy_version to authenticated, service_role;

-- The shares of the budget that this amount crosses: those that are reached now and that no alert
-- was sent for, and those that were not reached before it, although an alert was sent, because the
-- budget was raised or the sum lowered since.
create function training_versions_internal.crossed_shares(
    p_version public.training_package_versions,
    p_amount numeric,
    p_alert_at integer[]
)
returns integer[]
set search_path = ''
language plpgsql
as $$
declare
    sent constant pg_catalog.jsonb := training_versions_internal.sent_alerts(p_version);
    spent_before constant numeric := coalesce(p_version.actual_cost, 0);
    spent constant numeric := spent_before + p_amount;
begin
    return (
        select coalesce(array_agg(distinct share order by share), '{}')
        from unnest(p_alert_at) as share
        where spent > 0
            and spent * 100 >= p_version.budget_limit * share
            and (not sent @> to_jsonb(share) or spent_before * 100 < p_version.budget_limit * share)
    );
end
$$;

-- Records the origin of a version that is about to be inserted. Only definer functions of this
-- schema may call it, so that no client forges an origin. An id that is taken is left to the insert
-- of the version, which refuses it.
create function training_versions_internal.declare_origin(p_version_id uuid,
    p_kind text,
    p_details jsonb)
returns void
set search_path = ''
language plpgsql
as $$
begin
    -- The version comes after its origin, also where a client wants constraints checked at once.
    set constraints training_versions_internal.version_origins_version_id_fkey deferred;
    insert into training_versions_internal.version_origins (version_id, kind, details)
    values (p_version_id, p_kind, p_details)
    on conflict do nothing;
end
$$;

-- Deploys a version to a target, unless this call was carried out before.
create function training_versions_internal.deploy(
    p_version_id uuid,
    p_target text,
    p_url text,
    p_deployment_id text,
    p_stay_id uuid
)
returns public.training_package_version_summaries
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.check_target(p_target);
    if p_url is not null then
        perform training_versions_internal.check_text('url', p_url, 2000);
    end if;
    if p_deployment_id is not null then
        perform training_versions_internal.check_text('deployment_id', p_deployment_id, 255);
    end if;
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.lock_owned_version(p_version_id);
    if not training_versions_internal.claim_call(
        p_stay_id,
        p_version_id,
        format(
            'deploy %s %s',
            p_target,
            md5(jsonb_build_array(p_url, p_deployment_id)::pg_catalog.text)
        )
    ) then
        perform training_versions_internal.say_replayed();
        return training_versions_internal.see_summary(p_version_id);
    end if;
    if exists (select from public.training_deployments d where d.id = p_stay_id) then
        perform training_versions_internal.refuse_taken_id(
            p_stay_id, 'is another deployment''s already'
        );
    end if;

    if not training_versions_internal.is_live(p_version_id, p_target, p_url, p_deployment_id) then
        perform training_versions_internal.begin_deployment(
            version, p_target, p_url, p_deployment_id, coalesce(p_stay_id, gen_random_uuid())
        );
    end if;
    update public.training_package_versions
    set is_deployed = true, deployment_target = p_target,
        deployment_url = p_url, deployment_id = p_deployment_id
    where id = p_version_id
        and (is_deployed, deployment_target, deployment_url, deployment_id)
            is distinct from (true, p_target, p_url, p_deployment_id);
    return training_versions_internal.see_summary(p_version_id);
end
$$;
grant execute on function training_versions_internal.deploy to authenticated, service_role;

-- An id computed from a package and the id that something had in another project, always the same.
create function training_versions_internal.derived_id(p_package_id uuid,
    p_id uuid)
returns uuid
immutable
set search_path = ''
language sql
as $$
    select md5(p_package_id::pg_catalog.text || p_id::pg_catalog.text)::pg_catalog.uuid
$$;

-- The columns in which two states of a version differ, and their values. The snapshots may be
-- large, so they are compared as they are, and only the rest of the rows is turned into JSON.
create function training_versions_internal.differences(
    p_old public.training_package_versions,
    p_new public.training_package_versions
)
returns table(column_name text, old_value jsonb, new_value jsonb)
stable
set search_path = ''
language plpgsql
as $$
begin
    return query
    select s.place, s.before, s.after
    from (
        values
            ('config_snapshot', p_old.config_snapshot, p_new.config_snapshot),
            ('model_snapshot', p_old.model_snapshot, p_new.model_snapshot),
            ('dataset_snapshot', p_old.dataset_snapshot, p_new.dataset_snapshot)
    ) as s (place, before, after)
    where record_image_ne(row(s.before), row(s.after));

    p_old.config_snapshot := null;
    p_old.model_snapshot := null;
    p_old.dataset_snapshot := null;
    p_new.config_snapshot := null;
    p_new.model_snapshot := null;
    p_new.dataset_snapshot := null;
    return query
    select o.key, o.value, n.value
    from jsonb_each(to_jsonb(p_old)) as o
    join jsonb_each(to_jsonb(p_new)) as n on n.key = o.key
    where record_image_ne(row(n.value), row(o.value));
end
$$;

-- The details of an event that folds several edits: at most a hundred paths, whether there were
-- more, and how many edits there were. p_before has those of the earlier edits, or is null. What
-- p_is_more of the same edit is not counted once more.
create function training_versions_internal.edit_details(p_before jsonb,
    p_paths text[],
    p_is_more boolean)
returns jsonb
immutable
set search_path = ''
language plpgsql
as $$
begin
    return (
        with paths as (
            select p from unnest(p_paths) as p
            union
            select p from jsonb_array_elements_text(p_before -> 'paths') as p
        )
        select jsonb_strip_nulls(jsonb_build_object(
            'paths', (select jsonb_agg(f.p) from (select p from paths order by p limit 100) as f),
            'more', case when p_before ? 'more' or (select count(*) from paths) > 100 then true end,
            'edits', coalesce((p_before ->> 'edits')::integer, 0) + (not p_is_more)::integer
        ))
    );
end
$$;

-- The one list of what create_training_draft and update_training_draft take. From it follow what
-- freezes with publishing, what an `edited` event names, and what restoring and forking copy.
create function training_versions_internal.editable_columns()
returns text[]
immutable
set search_path = ''
language sql
as $$
    select array[
        'config_snapshot', 'model_snapshot', 'dataset_snapshot',
        'name', 'change_summary', 'parent_version_id', 'estimated_cost', 'budget_limit'
    ]
$$;
grant execute on function training_versions_internal.editable_columns to authenticated, service_role;

-- Ends the live deployments of a version, at one target or (null) at all; returns whether there
-- were any. The only place that ends a deployment.
create function training_versions_internal.end_deployments(
    p_version_id uuid,
    p_target text,
    p_ended_at timestamp with time zone
)
returns boolean
set search_path = ''
language plpgsql
as $$
declare
    ended public.training_deployments;
begin
    for ended in
        -- `greatest`, because the clock may have been set back since the deployment started.
        update public.training_deployments d
        set ended_at = greatest(p_ended_at, d.started_at), ended_by = auth.uid()
        where d.version_id = p_version_id and d.ended_at is null
            and (p_target is null or d.target = p_target)
        returning d.*
    loop
        perform training_versions_internal.record_event(
            p_version_id, 'undeployed', jsonb_build_object('target', ended.target, 'url', ended.url)
        );
    end loop;
    return found;
end
$$;

-- Archiving a version ends its deployments. Definer, because nobody is granted a write to them.
create function training_versions_internal.end_deployments_of_archived()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if training_versions_internal.end_deployments(new.id, null, clock_timestamp()) then
        perform training_versions_internal.show_deployment(new.id);
    end if;
    return null;
end
$$;

-- Ends the run that p_run_id names, or without it the one that is running; what is pending may be
-- cancelled or fail as well. A repeated call (with the same p_call_id) never ends another run, even
-- if one has started since.
create function training_versions_internal.end_training(
    p_version_id uuid,
    p_status text,
    p_reason text,
    p_run_id uuid,
    p_call_id uuid
)
returns public.training_runs
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    run public.training_runs;
begin
    version := training_versions_internal.lock_owned_version(p_version_id);
    if p_reason is not null then
        perform training_versions_internal.check_text('reason', p_reason, 10000);
    end if;
    if not training_versions_internal.claim_call(p_call_id, p_version_id, p_status) then
        select r.* into run
        from training_versions_internal.calls c
        join public.training_runs r on r.id = c.run_id
        where c.call_id = p_call_id;
        return run;
    end if;

    run := training_versions_internal.find_run(version, p_run_id);
    if run.status = p_status then
        update training_versions_internal.calls set run_id = run.id where call_id = p_call_id;
        return run;  -- it has this status already
    end if;
    if p_run_id is not null then
        perform training_versions_internal.check_running(run, p_status);
    elsif version.training_status = 'pending' and p_status <> 'completed' then
        run := training_versions_internal.begin_run(version, gen_random_uuid());
    elsif version.training_status is distinct from 'running' then
        perform training_versions_internal.refuse_training_status(
            version, version.training_status, p_status
        );
    end if;
    -- The triggers end the run.
    update training_versions_internal.calls set run_id = run.id where call_id = p_call_id;
    update public.training_runs set reason = p_reason where id = run.id and status = 'running';
    update public.training_package_versions set training_status = p_status where id = p_version_id;
    select * into run from public.training_runs r where r.id = run.id;
    return run;
end
$$;
grant execute on function training_versions_internal.end_training to authenticated, service_role;

-- The draft that an earlier call with the same arguments made, whatever happened to it or to its
-- source since; null if there is none.
create function training_versions_internal.find_copy(
    p_kind text,
    p_version_id uuid,
    p_package_id uuid,
    p_new_version_id uuid
)
returns public.training_package_versions
stable
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    select * into version
    from public.training_package_versions v
    where v.id = p_new_version_id and training_versions_internal.acts_for(v.created_by);
    if found and not exists (
        select from training_versions_internal.version_origins o
        where o.version_id = version.id
            and o.kind = p_kind
            and o.details ->> 'from_version_id' = p_version_id::pg_catalog.text
            and (p_kind = 'restored' or version.package_id = p_package_id)
    ) then
        perform training_versions_internal.refuse_taken_id(
            p_new_version_id, 'is another version''s already'
        );
    end if;
    return version;
end
$$;

-- The entry that an earlier call made, found by its id or its key; null if there is none. Refuses
-- an id or a key that belongs to another entry. A repeat with the entry's id comes from the caller
-- that made it and gets its alerts again; one with the same key may come from another, and gets
-- none, so that each alert is sent once.
create function training_versions_internal.find_cost_entry(
    p_version_id uuid,
    p_amount numeric,
    p_key text,
    p_entry_id uuid
)
returns public.training_costs
set search_path = ''
language plpgsql
as $$
declare
    entry public.training_costs;
begin
    select * into entry from public.training_costs c where c.id = p_entry_id;
    if found then
        if (entry.version_id, entry.amount, entry.key)
            is distinct from (p_version_id, p_amount, coalesce(p_key, entry.key))
        then
            perform training_versions_internal.refuse_taken_id(
                p_entry_id, 'is another entry''s already'
            );
        end if;
        return entry;
    end if;

    select * into entry
    from public.training_costs c
    where c.version_id = p_version_id and c.key = p_key;
    if not found then
        return null;
    end if;
    if entry.amount <> p_amount then
        perform training_versions_internal.refuse(
            'TV204',
            format('the key %s is that of an entry of %s already', p_key, entry.amount),
            jsonb_build_object('key', p_key, 'amount', entry.amount),
            'Use a new key for a new entry.'
        );
    end if;
    entry.alerts := '{}';
    return entry;
end
$$;

-- The run that p_run_id names, which must be one of the version; without p_run_id the one that is
-- running, else the one that ran last.
create function training_versions_internal.find_run(
    p_version public.training_package_versions,
    p_run_id uuid
)
returns public.training_runs
stable
set search_path = ''
language plpgsql
as $$
declare
    run public.training_runs;
begin
    select * into run
    from public.training_runs r
    where r.version_id = p_version.id and (p_run_id is null or r.id = p_run_id)
    order by r.status = 'running' desc, r.started_at desc
    limit 1;
    if not found and p_run_id is not null then
        perform training_versions_internal.refuse(
            'TV104',
            format(
                '%s has no run %s',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                ),
                p_run_id
            ),
            jsonb_build_object('version_id', p_version.id, 'run_id', p_run_id),
            'Pass the id of what starting the training returned.'
        );
    end if;
    return run;
end
$$;
grant execute on function training_versions_internal.find_run to authenticated, service_role;

-- What never changes once a version has this status: what it is and, from publishing on, what it
-- holds and who signed it. Costs can still change.
create function training_versions_internal.frozen_columns(p_status text)
returns text[]
immutable
set search_path = ''
language sql
as $$
    select array['id', 'package_id', 'version_number', 'created_by', 'created_at'] || array(
        select c
        from unnest(
            training_versions_internal.editable_columns() || array['published_at', 'published_by']
        ) as c
        where p_status <> 'draft' and c not in ('estimated_cost', 'budget_limit')
    )
$$;

-- Under the lock on the package: the next number, or the one that the row has if it was never
-- given. A row whose id is taken uses up no number: it is an upsert, or is refused.
create function training_versions_internal.give_number()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    number_here integer;
    is_new boolean;
begin
    select case when v.package_id = new.package_id then v.version_number end into number_here
    from public.training_package_versions v
    where v.id = new.id;
    is_new := not found;
    if new.version_number is null then
        new.version_number := coalesce(
            number_here, training_versions_internal.next_number(new.package_id)
        );
    elsif new.version_number < 1
        -- About half of what the column holds, so that there is always a next number, which may be
        -- brought however high it is.
        or new.version_number > 1000000000
        and new.version_number > greatest(
            number_here, training_versions_internal.next_number(new.package_id)
        )
    then
        perform training_versions_internal.refuse_value(
            'version_number',
            'version_number must be between 1 and 1,000,000,000',
            'Leave it out: the database gives the next one.'
        );
    elsif exists (
        select from training_versions_internal.deletions d
        where d.package_id = new.package_id and d.version_number = new.version_number
    ) then
        -- Not by refuse(): to clients this is the unique violation that a taken number always was.
        raise exception using
            errcode = '23505',
            message = format(
                'version number %s was given to a draft since deleted', new.version_number
            ),
            detail = jsonb_build_object('field', 'version_number')::pg_catalog.text,
            constraint = 'unique_package_version',
            hint = 'Ask get_next_version_number for the next one, or leave version_number out.';
    end if;
    if is_new then
        insert into training_versions_internal.package_numbers as n (package_id, last_number)
        values (new.package_id, new.version_number)
        on conflict (package_id) do update
        set last_number = greatest(n.last_number, excluded.last_number);
    end if;
    return new;
end
$$;

-- The database sets created_at, unless the version is imported, or a role without a user sets it,
-- or it is that of the version with this id, whose whole row is written back by an upsert.
-- The name is `<package>-v<number>-draft-<day>` unless one is given.
create function training_versions_internal.give_timestamp_and_name()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_name pg_catalog.text;
begin
    -- What is null, or now(), was not given but comes from the default.
    if new.created_at is null
        or new.created_at = now()
        or auth.uid() is not null
        and not training_versions_internal.is_importing()
        and not exists (
            select from public.training_package_versions v
            where v.id = new.id and v.created_at = new.created_at
        )
    then
        new.created_at := clock_timestamp();
    end if;
    perform training_versions_internal.check_moment('created_at', new.created_at);
    new.updated_at := new.created_at;
    new.content_updated_at := new.created_at;

    if new.name is null then
        select c.name into package_name
        from public.training_configs c
        where c.id = new.package_id and c.name ~ '\S';
        new.name := format(
            '%s-v%s-draft-%s',
            left(coalesce(package_name, 'package'), 220),  -- the rest needs up to 27 of 255
            new.version_number,
            to_char(new.created_at at time zone 'UTC', 'YYYYMMDD')
        );
    end if;
    return new;
end
$$;

-- Does the draft hold what p_fields asks for? Editable columns that p_fields does not name must be
-- null, except for the name, which the database gives.
create function training_versions_internal.has_fields(
    p_version public.training_package_versions,
    p_fields jsonb
)
returns boolean
stable
set search_path = ''
language plpgsql
as $$
declare
    asked public.training_package_versions;
begin
    asked := jsonb_populate_record(
        p_version,
        (
            select jsonb_object_agg(c, null)
            from unnest(training_versions_internal.editable_columns()) as c
        ) || p_fields
    );
    asked.name := coalesce(asked.name, p_version.name);
    return asked *= p_version;
end
$$;
grant execute on function training_versions_internal.has_fields to authenticated, service_role;

-- Keeps the package that a version lies in from being deleted. Definer, because an app's policies
-- on training_configs may hide the package from a user's lock; only for those who may act for the
-- owner of the version.
create function training_versions_internal.hold_package_of(p_version_id uuid)
returns void
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform from public.training_configs c
    join public.training_package_versions v on v.package_id = c.id
    where v.id = p_version_id and training_versions_internal.acts_for(v.created_by)
    for key share of c;
end
$$;
grant execute on function training_versions_internal.hold_package_of to authenticated, service_role;

-- Imports events, and returns how many were new.
create function training_versions_internal.import_events(p_package_id uuid,
    p_events jsonb)
returns integer
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_owner pg_catalog.uuid;
    added integer;
begin
    perform training_versions_internal.lock_package(p_package_id);
    package_owner := training_versions_internal.owner_for_import(p_package_id);
    perform training_versions_internal.check_events(p_events);
    -- Numbers of drafts that were deleted there occur only in events. They are not given again.
    insert into training_versions_internal.package_numbers as n (package_id, last_number)
    select p_package_id, greatest(max(e.version_number), 0)
    from jsonb_populate_recordset(null::public.training_version_events, p_events) as e
    on conflict (package_id) do update
    set last_number = greatest(n.last_number, excluded.last_number);
    insert into public.training_version_events (
        package_id, version_id, version_number, owner_id,
        kind, actor_id, occurred_at, last_at, details, source
    )
    select
        p_package_id, training_versions_internal.imported_history_id(p_package_id, e.version_id),
        e.version_number, package_owner, e.kind, null, e.occurred_at, e.last_at,
        coalesce(e.details, '{}')
            || jsonb_strip_nulls(jsonb_build_object('imported', true, 'actor_id', e.actor_id)),
        -- An event that was itself imported keeps its first source. One that does not say where it
        -- comes from has what it says as its source, so that it is known again, and never taken
        -- for an event of this project.
        coalesce(
            nullif(e.source, ''),
            e.package_id || '/' || e.id || '@' || e.occurred_at,
            format('unknown/%s/%s@%s', e.version_id, e.kind, e.occurred_at)
        )
    from jsonb_populate_recordset(null::public.training_version_events, p_events) as e
    -- Events of this very package, which a bundle of it contains, are in its history already.
    where not exists (
        select from public.training_version_events o
        where o.package_id = p_package_id and o.version_number = e.version_number
            and o.kind = e.kind and o.occurred_at = e.occurred_at and o.source is null
    )
    order by e.id
    on conflict (package_id, source) where source is not null do nothing;
    get diagnostics added = row_count;
    return added;
end
$$;
grant execute on function training_versions_internal.import_events to authenticated, service_role;

-- Imports one version, and reports the outcome as JSON. A version that is here already is not
-- changed, except that it gets its parent if that was imported later. A version that was deleted
-- here is not imported again.
create function training_versions_internal.import_version(
    p_given public.training_package_versions,
    p_state text,
    p_original_id uuid
)
returns jsonb
set search_path = ''
language plpgsql
as $$
declare
    has_parent constant boolean := p_given.parent_version_id is not null;
    here public.training_package_versions;
    differs boolean := p_state = 'deleted';
begin
    if has_parent then
        p_given.parent_version_id := training_versions_internal.imported_parent(p_given);
    end if;
    here := p_given;
    if p_state = 'new' then
        perform training_versions_internal.insert_imported(p_given, p_original_id);
    elsif p_state = 'here' then
        here := training_versions_internal.see_version(p_given.id);
        differs := training_versions_internal.compare_imported(p_given, here);
        if here.status <> 'draft' and here.parent_version_id is null and exists (
            select from public.training_version_events e
            where e.version_id = here.id and e.kind = 'imported' and e.source is null
        ) then
            update public.training_package_versions
            set parent_version_id = p_given.parent_version_id
            where id = here.id and p_given.parent_version_id is not null;
            here.parent_version_id := p_given.parent_version_id;
        end if;
    end if;
    return jsonb_build_object(
        'id', p_given.id,
        'version_number', p_given.version_number,
        'created', p_state = 'new',
        'parent_missing', has_parent and p_state <> 'deleted' and here.parent_version_id is null,
        'differs', differs
    );
end
$$;

-- Imports versions, in order. With p_check_only it checks their ids and numbers, and writes none.
create function training_versions_internal.import_versions(
    p_package_id uuid,
    p_versions jsonb,
    p_check_only boolean
)
returns jsonb
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_owner pg_catalog.uuid;
    item pg_catalog.jsonb;
    given public.training_package_versions;
    state pg_catalog.text;
    outcome pg_catalog.jsonb := '[]';
begin
    -- The owner is asked for under the lock: the package may be handed over meanwhile.
    perform training_versions_internal.lock_package(p_package_id);
    package_owner := training_versions_internal.owner_for_import(p_package_id);
    perform training_versions_internal.check_snapshot('p_versions', p_versions, 'array');
    insert into training_versions_internal.imports (transaction_id)
    values (pg_current_xact_id())
    on conflict do nothing;
    for item in select i from jsonb_array_elements(p_versions) as i loop
        given := jsonb_populate_record(null::public.training_package_versions, item);
        given.id := training_versions_internal.imported_id(p_package_id, given.id);
        given.package_id := p_package_id;
        given.created_by := package_owner;
        state := training_versions_internal.state_of_import(given);
        if p_check_only is not true then
            outcome := outcome || training_versions_internal.import_version(
                given, state, (item ->> 'id')::pg_catalog.uuid
            );
        end if;
    end loop;
    delete from training_versions_internal.imports where transaction_id = pg_current_xact_id();
    perform training_versions_internal.move_pointers(p_package_id);
    return outcome;
end
$$;
grant execute on function training_versions_internal.import_versions to authenticated, service_role;

-- The id of a version in its imported events. Only a version that this package has or had keeps the
-- id that imported_id gives. Any other, such as a draft that was deleted before the export, gets
-- the derived id: otherwise an import could write events for an id that a later version may have.
create function training_versions_internal.imported_history_id(p_package_id uuid,
    p_version_id uuid)
returns uuid
stable
set search_path = ''
language sql
as $$
    select case
        when exists (
            select from public.training_package_versions v
            where v.id = here.id and v.package_id = p_package_id
        ) or exists (
            select from training_versions_internal.deletions d
            where d.id = here.id and d.package_id = p_package_id
        ) or exists (
            select from public.training_version_events e
            where e.version_id = here.id and e.package_id = p_package_id
        ) then here.id
        else training_versions_internal.derived_id(p_package_id, p_version_id)
    end
    from training_versions_internal.imported_id(p_package_id, p_version_id) as here (id)
$$;

-- The id in this project of a version of another one: the one under which it was imported into this
-- package before, else its own if that is free, else the first of the derived ones that is.
-- Somebody who holds the bundle may have taken some of them. Versions and events are looked up by
-- one value alone (`offset 0`): without statistics the planner might read all those of the package.
create function training_versions_internal.imported_id(p_package_id uuid,
    p_id uuid)
returns uuid
stable
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    candidate pg_catalog.uuid;
    used_in pg_catalog.uuid;
begin
    select i.version_id into candidate
    from (
        select e.version_id, e.package_id, e.source
        from public.training_version_events e
        where e.imported_from = p_id::pg_catalog.text
        offset 0
    ) as i
    where i.package_id = p_package_id and i.source is null
    limit 1;
    if found then
        return candidate;
    end if;

    candidate := p_id;
    loop
        select v.package_id into used_in
        from public.training_package_versions v
        where v.id = candidate;
        if not found then
            select d.package_id into used_in
            from training_versions_internal.deletions d
            where d.id = candidate
            order by d.package_id = p_package_id desc
            limit 1;
        end if;
        if used_in is null or used_in = p_package_id then
            return candidate;
        end if;
        candidate := training_versions_internal.derived_id(p_package_id, candidate);
    end loop;
end
$$;

-- The parent of an imported version here: the one imported into the same package if there is, else
-- the one that kept its id, else the newest that was imported from it. Null if there is none.
create function training_versions_internal.imported_parent(p_given public.training_package_versions)
returns uuid
set search_path = ''
language sql
as $$
    select v.id
    from public.training_package_versions v
    where v.created_by = p_given.created_by
        and v.id = any (
            array(
                select e.version_id
                from public.training_version_events e
                where e.owner_id = p_given.created_by
                    and e.imported_from = p_given.parent_version_id::pg_catalog.text
            )
            || p_given.parent_version_id
            || training_versions_internal.imported_id(p_given.package_id, p_given.parent_version_id)
        )
    order by
        v.package_id = p_given.package_id desc, v.id = p_given.parent_version_id desc,
        v.created_at desc, v.id
    limit 1
$$;

-- Inserts the copy, with its origin and with the source as its parent. Editable columns are copied,
-- except for costs, which belong to one version only. Called by copy_version, as its definer.
create function training_versions_internal.insert_copy(
    p_kind text,
    p_source public.training_package_versions,
    p_package_id uuid,
    p_name text,
    p_change_summary text,
    p_new_version_id uuid
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    content public.training_package_versions := p_source;
begin
    perform training_versions_internal.declare_origin(
        p_new_version_id,
        p_kind,
        jsonb_build_object(
            'from_version_id', p_source.id,
            'from_package_id', p_source.package_id,
            'from_version_number', p_source.version_number
        )
    );
    content.name := p_name;
    content.change_summary := p_change_summary;
    if p_change_summary is null and p_kind = 'restored' then
        content.change_summary := format('Restored from version %s', p_source.version_number);
    elsif p_change_summary is null then
        content.change_summary := format('Forked from %s', p_source.name);
    end if;
    content.parent_version_id := p_source.id;
    content.estimated_cost := null;
    content.budget_limit := null;
    return training_versions_internal.insert_draft(p_new_version_id, p_package_id, content);
end
$$;

-- Inserts an entry, and adds its amount to the sum. Runs as the definer function that calls it.
create function training_versions_internal.insert_cost_entry(
    p_version public.training_package_versions,
    p_amount numeric,
    p_note text,
    p_key text,
    p_alerts integer[],
    p_entry_id uuid
)
returns public.training_costs
set search_path = ''
language plpgsql
as $$
declare
    entry public.training_costs;
begin
    insert into public.training_costs
        (id, version_id, owner_id, amount, note, key, alerts, recorded_by)
    values (
        p_entry_id, p_version.id, p_version.created_by, p_amount, p_note,
        coalesce(p_key, p_entry_id::pg_catalog.text), p_alerts, auth.uid()
    )
    on conflict (id) do nothing
    returning * into entry;
    if not found then
        perform training_versions_internal.refuse_taken_id(
            p_entry_id, 'is another entry''s already'
        );
    end if;
    insert into training_versions_internal.cost_sums as s (version_id, total)
    values (p_version.id, p_amount)
    on conflict (version_id) do update set total = s.total + excluded.total;
    return entry;
end
$$;

-- Inserts a draft with the editable columns of p_content; the database sets all others. The plan of
-- a statement that is put together is not kept, and to make one takes a tenth of all that it takes
-- to create a draft. So that for the columns of this release is written out.
create function training_versions_internal.insert_draft(
    p_version_id uuid,
    p_package_id uuid,
    p_content public.training_package_versions
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    columns constant pg_catalog.text :=
        array_to_string(training_versions_internal.editable_columns(), ', ');
    new_id constant pg_catalog.uuid := coalesce(p_version_id, gen_random_uuid());
    version public.training_package_versions;
begin
    if columns = 'config_snapshot, model_snapshot, dataset_snapshot, name, change_summary, '
        'parent_version_id, estimated_cost, budget_limit'
    then
        insert into public.training_package_versions (
            id, package_id, status,
            config_snapshot, model_snapshot, dataset_snapshot, name, change_summary,
            parent_version_id, estimated_cost, budget_limit
        )
        values (
            new_id, p_package_id, 'draft',
            p_content.config_snapshot, p_content.model_snapshot, p_content.dataset_snapshot,
            p_content.name, p_content.change_summary,
            p_content.parent_version_id, p_content.estimated_cost, p_content.budget_limit
        )
        on conflict (id) do nothing
        returning * into version;
    else
        execute format(
            'insert into public.training_package_versions (id, package_id, status, %1$s)
            select $1, $2, ''draft'', %1$s from (select ($3).*) as content
            on conflict (id) do nothing
            returning *',
            columns
        )
        into version
        using new_id, p_package_id, p_content;
    end if;
    if version.id is null then
        perform training_versions_internal.refuse_taken_id(
            p_version_id, 'is another version''s already'
        );
    end if;
    return version;
end
$$;
grant execute on function training_versions_internal.insert_draft to authenticated, service_role;

-- Inserts an imported version, and the run that its training columns imply.
create function training_versions_internal.insert_imported(
    p_given public.training_package_versions,
    p_original_id uuid
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.check_moment(t.field, t.given_at)
    from (
        values
            ('created_at', p_given.created_at),
            ('published_at', p_given.published_at),
            ('training_started_at', p_given.training_started_at),
            ('training_completed_at', p_given.training_completed_at)
    ) as t (field, given_at);
    if p_given.training_completed_at < p_given.training_started_at then
        perform training_versions_internal.refuse_value(
            'training_completed_at',
            format(
                'training of version %s in the file ends before it starts', p_given.version_number
            )
        );
    end if;
    if p_given.status = 'draft' then
        p_given.published_by := null;
        p_given.published_at := null;
    else
        p_given.published_by := p_given.created_by;
    end if;
    if p_given.id is null then
        perform training_versions_internal.refuse_value('id', 'an imported version has an id');
    end if;
    perform training_versions_internal.declare_origin(
        p_given.id, 'imported', jsonb_build_object('from_version_id', p_original_id)
    );
    -- Columns that are not named here, such as those of an app, get their defaults.
    execute format(
        'insert into public.training_package_versions (%1$s) select %1$s from (select $1.*) as v',
        array_to_string(training_versions_internal.editable_columns() || array[
            'id', 'package_id', 'version_number', 'status',
            'created_at', 'created_by', 'published_at', 'published_by',
            'training_status', 'training_started_at', 'training_completed_at',
            'training_metrics', 'actual_cost', 'cost_alerts_sent'
        ], ', ')
    ) using p_given;
    insert into public.training_runs
        (version_id, owner_id, status, started_at, ended_at, started_by)
    select
        p_given.id, p_given.created_by, p_given.training_status,
        coalesce(p_given.training_started_at, p_given.training_completed_at, p_given.created_at),
        greatest(
            p_given.training_started_at, coalesce(p_given.training_completed_at, p_given.created_at)
        ),
        auth.uid()
    where p_given.training_status in ('completed', 'failed', 'cancelled');
end
$$;

-- Is this transaction importing versions? Kept in a table rather than in a session setting, which
-- any client could set.
create function training_versions_internal.is_importing()
returns boolean
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from training_versions_internal.imports i
        where i.transaction_id = pg_current_xact_id()
    );
end
$$;

-- Is the version live at the target, with this url and deployment_id?
create function training_versions_internal.is_live(
    p_version_id uuid,
    p_target text,
    p_url text,
    p_deployment_id text
)
returns boolean
stable
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from public.training_deployments d
        where d.version_id = p_version_id and d.target = p_target and d.ended_at is null
            and (d.url, d.deployment_id) is not distinct from (p_url, p_deployment_id)
    );
end
$$;

-- Does the owner of this schema write, as in the definer functions of our triggers? (A trigger that
-- asks this must be invoker: in a definer function `current_user` would always be that owner.)
create function training_versions_internal.is_own_write()
returns boolean
stable
set search_path = ''
language plpgsql
as $$
begin
    return (
        select pg_has_role(current_user, n.nspowner, 'member')
        from pg_catalog.pg_namespace n
        where n.nspname = 'training_versions_internal'
    );
end
$$;
grant execute on function training_versions_internal.is_own_write to authenticated, service_role;

-- Is this constraint the foreign key from a package to its owner? Its name is not known: an app may
-- have made the table, and given it other foreign keys.
create function training_versions_internal.is_owner_reference(p_constraint text)
returns boolean
stable
set search_path = ''
language sql
as $$
    select exists (
        select from pg_catalog.pg_constraint o
        join pg_catalog.pg_attribute a on a.attrelid = o.conrelid and a.attnum = any (o.conkey)
        where o.conrelid = 'public.training_configs'::pg_catalog.regclass
            and o.conname = p_constraint
            and o.contype = 'f'
            and a.attname = 'user_id'
    )
$$;
grant execute on function training_versions_internal.is_owner_reference to authenticated, service_role;

-- The id of a deleted package is not used again, whoever deleted it: those who still have that id
-- would find another package under it. Definer, because nobody is granted the record of deletions.
create function training_versions_internal.keep_deleted_ids()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if exists (
        select from training_versions_internal.deletions d
        where d.id = new.id and d.version_number is null
    ) then
        perform training_versions_internal.refuse(
            'TV204',
            format('the id %s was a package''s that is deleted', new.id),
            jsonb_build_object('id', new.id),
            'Use a new id for something new.'
        );
    end if;
    return new;
end
$$;

-- Counters and pointers are written by the triggers of versions only. Invoker, as above.
create function training_versions_internal.keep_derived_columns()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    new.version_count := coalesce(new.version_count, 0);
    new.latest_published_version := coalesce(new.latest_published_version, 0);
    -- In an insert `old` is null.
    if (new.version_count, new.latest_published_version, new.current_version_id)
            is distinct from (
                coalesce(old.version_count, 0),
                coalesce(old.latest_published_version, 0),
                old.current_version_id
            )
        and not training_versions_internal.is_own_write()
    then
        perform training_versions_internal.refuse(
            'TV305',
            'version_count, latest_published_version and current_version_id'
            ' are kept by the database',
            jsonb_build_object('package_id', new.id),
            'Leave them out; publishing and archiving move them.'
        );
    end if;
    return new;
end
$$;

-- Events are changed only by our triggers (record_edit) and deleted only with their package, by its
-- foreign key, which is a trigger, too. In both cases this trigger is fired by another one, so it
-- runs at a depth of two or more. A client's own statement fires it at depth one.
create function training_versions_internal.keep_events()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    if tg_op = 'TRUNCATE' or pg_trigger_depth() < 2 then
        perform training_versions_internal.refuse(
            'TV309',
            'the history of versions cannot be changed',
            p_hint => 'It goes only with its whole package.'
        );
    end if;
    return coalesce(new, old);
end
$$;

-- Frozen columns do not change, with three exceptions: created_by may be filled in where it is
-- null; parent_version_id becomes null when the parent is deleted with its whole package; and an
-- import may set it later, if it imports the parent after the child. Where a draft is edited or
-- published, content_updated_at becomes null here and in keep_snapshots(), which is how
-- set_updated_at knows of it.
create function training_versions_internal.keep_frozen()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    was constant public.training_package_versions :=
        training_versions_internal.without_facts(old);
    wanted constant public.training_package_versions :=
        training_versions_internal.without_facts(new);
    frozen pg_catalog.text[];
    changed pg_catalog.text[];
    refused pg_catalog.text[];
begin
    new.content_updated_at := old.content_updated_at;
    if old.status = 'draft' and new.status <> 'draft' then
        new.content_updated_at := null;
    end if;
    if was *= wanted then
        return new;
    end if;

    frozen := training_versions_internal.frozen_columns(old.status);
    if old.created_by is null then
        frozen := array_remove(frozen, 'created_by');
    end if;
    if new.parent_version_id is null and not exists (
            select from public.training_package_versions p where p.id = old.parent_version_id
        )
        or old.parent_version_id is null and training_versions_internal.is_importing()
    then
        frozen := array_remove(frozen, 'parent_version_id');
    end if;
    changed := array(
        select d.column_name from training_versions_internal.differences(was, wanted) as d
    );
    refused := array(select c from unnest(changed) as c where c = any (frozen));
    if refused <> '{}' then
        refused := array(
            select c from unnest(training_versions_internal.changed_snapshots(old, new)) as c
            where c = any (frozen)
        ) || refused;
        perform training_versions_internal.refuse_frozen(old, refused);
    end if;
    if old.status = 'draft' and changed && training_versions_internal.editable_columns() then
        new.content_updated_at := null;
    end if;
    return new;
end
$$;

-- The versions of a package belong to its owner. Invoker, because it asks who writes.
create function training_versions_internal.keep_package_owner()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    if not training_versions_internal.is_own_write() then
        perform training_versions_internal.refuse(
            'TV301',
            'a package that has versions keeps its owner',
            jsonb_build_object('package_id', old.id, 'columns', array['user_id']),
            'Export it, and import it as the new owner.'
        );
    end if;
    return new;
end
$$;

-- A package with published or archived versions is not deleted by its owner, nor one with a draft
-- that is the parent of a published version elsewhere. Definer, because it must see every version,
-- also those that the caller may not see.
create function training_versions_internal.keep_packages_with_history()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    -- Waits for what is being made of its versions right now, and for children of them that are
    -- being published elsewhere, so that the checks below see them.
    perform from public.training_package_versions v
    where v.package_id = old.id
    for update;
    perform from public.training_package_versions v
    join public.training_package_versions child on child.parent_version_id = v.id
    where v.package_id = old.id
    for no key update of child;
    if exists (
        select from public.training_package_versions v
        where v.package_id = old.id and v.status <> 'draft'
    ) then
        perform training_versions_internal.refuse(
            'TV304',
            'the package has published or archived versions and cannot be deleted',
            jsonb_build_object('package_id', old.id),
            'Archive its versions instead; only the service role deletes a package with history.'
        );
    end if;
    if exists (
        select from public.training_package_versions v
        join public.training_package_versions child on child.parent_version_id = v.id
        where v.package_id = old.id and child.status <> 'draft'
    ) then
        perform training_versions_internal.refuse(
            'TV308',
            'a draft of the package is the parent of a published version in another package',
            jsonb_build_object('package_id', old.id),
            'Keep it: a published version keeps its parent.'
        );
    end if;
    return old;
end
$$;

-- A published or archived version is not deleted alone, nor the draft that one came from.
create function training_versions_internal.keep_published()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if not exists (select from public.training_configs c where c.id = old.package_id) then
        return old;  -- its whole package is going
    end if;
    if old.status <> 'draft' then
        perform training_versions_internal.refuse(
            'TV303',
            format(
                '%s is %s and cannot be deleted',
                training_versions_internal.version_label(old.package_id, old.version_number),
                old.status
            ),
            jsonb_build_object(
                'version_id', old.id, 'version_number', old.version_number, 'status', old.status
            ),
            'Archive it instead.'
        );
    end if;
    -- Waits for a child that is being published right now, so that the check below sees it.
    perform from public.training_package_versions v
    where v.parent_version_id = old.id
    for no key update;
    if exists (
        select from public.training_package_versions v
        where v.parent_version_id = old.id and v.status <> 'draft'
    ) then
        perform training_versions_internal.refuse(
            'TV308',
            format(
                '%s is the parent of a published version',
                training_versions_internal.version_label(old.package_id, old.version_number)
            ),
            jsonb_build_object('version_id', old.id, 'version_number', old.version_number),
            'Keep it: a published version keeps its parent.'
        );
    end if;
    return old;
end
$$;

-- Snapshots change in drafts only, and only to what has their shape; those from before these rules
-- are kept. What is equal stays as it is stored, so that it is not written once more. Fires only
-- for statements that name a snapshot, since to compare them is to read them whole.
create function training_versions_internal.keep_snapshots()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    changed constant pg_catalog.text[] :=
        training_versions_internal.changed_snapshots(old, new);
begin
    if changed <> '{}' and old.status <> 'draft' then
        perform training_versions_internal.refuse_frozen(old, changed);
    end if;
    if changed <> '{}' then
        new.content_updated_at := null;
    end if;
    if 'config_snapshot' = any (changed) then
        perform training_versions_internal.check_snapshot(
            'config_snapshot', new.config_snapshot, 'object'
        );
    else
        new.config_snapshot := old.config_snapshot;
    end if;
    if 'model_snapshot' = any (changed) then
        perform training_versions_internal.check_snapshot(
            'model_snapshot', new.model_snapshot, 'object'
        );
    else
        new.model_snapshot := old.model_snapshot;
    end if;
    if 'dataset_snapshot' = any (changed) then
        perform training_versions_internal.check_snapshot(
            'dataset_snapshot', new.dataset_snapshot, 'array'
        );
    else
        new.dataset_snapshot := old.dataset_snapshot;
    end if;
    return new;
end
$$;

-- Draft, then published, then archived.
create function training_versions_internal.keep_status_order()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if (old.status, new.status) not in (('draft', 'published'), ('published', 'archived'))
        or new.status is null
    then
        perform training_versions_internal.refuse(
            'TV302',
            format(
                '%s is %s and cannot become %s',
                training_versions_internal.version_label(old.package_id, old.version_number),
                old.status, coalesce(new.status, 'null')
            ),
            jsonb_build_object(
                'version_id', old.id, 'version_number', old.version_number, 'status', old.status
            ),
            'A version goes from draft to published to archived.'
        );
    end if;
    return new;
end
$$;

-- Training goes from none or pending to running, from there to completed, failed or cancelled, and
-- from failed or cancelled to running again. Where a client writes an outcome to none or pending,
-- that is a run that began and ended. The timestamps are those of the database's clock, unless a
-- role without a user gives others with a new status; a start that nobody gives is not after the
-- end. A run starts without the metrics of the one before it. Definer, because it reads the runs,
-- and whether the version is being imported.
create function training_versions_internal.keep_training_transitions()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    -- On insert, old is null.
    was constant pg_catalog.text := coalesce(old.training_status, 'none');
    wanted constant pg_catalog.text := coalesce(new.training_status, 'none');
    given_start pg_catalog.timestamptz;
    given_end pg_catalog.timestamptz;
begin
    if training_versions_internal.is_importing() then
        return new;
    end if;
    if auth.uid() is null and wanted <> was then
        given_start := nullif(new.training_started_at, old.training_started_at);
        if wanted <> 'running' then
            given_end := nullif(new.training_completed_at, old.training_completed_at);
        end if;
    end if;
    new.training_started_at := old.training_started_at;
    new.training_completed_at := old.training_completed_at;
    if wanted = was or (was, wanted) = ('none', 'pending') then
        return new;
    end if;
    if not (
        was in ('none', 'pending', 'failed', 'cancelled') and wanted = 'running'
        or was in ('none', 'pending', 'running') and wanted in ('completed', 'failed', 'cancelled')
    ) then
        perform training_versions_internal.refuse_training_status(
            new, old.training_status, new.training_status
        );
    end if;

    if was <> 'running' then
        select r.started_at into new.training_started_at  -- if start_training inserted the run
        from public.training_runs r
        where r.version_id = new.id and r.status = 'running';
    end if;
    new.training_started_at := coalesce(
        given_start, new.training_started_at, least(given_end, clock_timestamp())
    );
    if wanted <> 'running' then
        new.training_completed_at := coalesce(
            given_end, greatest(clock_timestamp(), new.training_started_at)
        );
    else
        new.training_completed_at := null;
        if record_image_eq(row(new.training_metrics), row(old.training_metrics)) then
            new.training_metrics := null;
        end if;
    end if;
    perform training_versions_internal.check_run_times(
        given_start, given_end, new.training_started_at
    );
    return new;
end
$$;

-- The same, and takes the lock on the package. If it is being handed over, this waits, and then
-- finds the new owner. Nobody waits for a package that is not theirs.
create function training_versions_internal.lock_own_package(p_package_id uuid)
returns boolean
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform from public.training_configs c
    where c.id = p_package_id and c.user_id = auth.uid()
    for no key update;
    return found;
end
$$;
grant execute on function training_versions_internal.lock_own_package to authenticated, service_role;

-- The version without its snapshots, which may be large and take no part in this, locked against
-- other changes, with its package held. A user gets their own versions, a role that bypasses row
-- level security any. Definer, because the update policy would hide a published version from the
-- lock.
create function training_versions_internal.lock_owned_version(p_version_id uuid)
returns public.training_package_versions
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.hold_package_of(p_version_id);
    select * into version
    from public.training_package_versions v
    where v.id = p_version_id and training_versions_internal.acts_for(v.created_by)
    for no key update;
    if not found then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    version.config_snapshot := null;
    version.model_snapshot := null;
    version.dataset_snapshot := null;
    return version;
end
$$;

-- The lock under which versions of a package are made, and its pointers and numbers written. Held
-- to the end of the transaction. Returns false if there is no such package, or it is somebody
-- else's: nobody waits for that. If it is deleted or handed over while this waits, the condition is
-- judged anew.
create function training_versions_internal.lock_package(p_package_id uuid)
returns boolean
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform from public.training_configs c
    where c.id = p_package_id
        and (pg_trigger_depth() > 0 or training_versions_internal.acts_for(c.user_id))
    for no key update;
    return found;
end
$$;
grant execute on function training_versions_internal.lock_package to authenticated, service_role;

-- The lock on the package that a version lies in.
create function training_versions_internal.lock_package_of(p_version_id uuid)
returns void
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.lock_package(v.package_id)
    from public.training_package_versions v
    where v.id = p_version_id;
end
$$;
grant execute on function training_versions_internal.lock_package_of to authenticated, service_role;

-- The version to copy, kept from being deleted meanwhile, under the lock on the package that the
-- copy goes into; refused unless the caller acts for the owner of both.
create function training_versions_internal.lock_source(p_version_id uuid,
    p_package_id uuid)
returns public.training_package_versions
security definer
set search_path = ''
language plpgsql
as $$
declare
    source public.training_package_versions;
begin
    perform training_versions_internal.lock_package(p_package_id);
    select * into source
    from public.training_package_versions v
    where v.id = p_version_id and training_versions_internal.acts_for(v.created_by)
    for key share;
    if not found then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    if not exists (
        select from public.training_configs c
        where c.id = p_package_id and training_versions_internal.acts_for(c.user_id)
    ) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    return source;
end
$$;

-- The version, locked against other changes, with its package held unless that is locked already;
-- refused if the caller sees none. A frozen one is not locked: the update policy hides it from a
-- lock, and it needs none.
create function training_versions_internal.lock_version(
    p_version_id uuid,
    p_package_is_locked boolean default false
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    if not p_package_is_locked then
        perform training_versions_internal.hold_package_of(p_version_id);
    end if;
    select * into version
    from public.training_package_versions v
    where v.id = p_version_id
    for no key update;
    if not found then
        version := training_versions_internal.see_version(p_version_id);
    end if;
    return version;
end
$$;
grant execute on function training_versions_internal.lock_version to authenticated, service_role;

-- Moves the pointers to the newest version that is published now and that the package's owner can
-- see. The package is locked first, so that of two changes at once the later one sees the earlier.
create function training_versions_internal.move_pointers(p_package_id uuid)
returns void
security definer
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    newest_id pg_catalog.uuid;
    newest_number integer;
begin
    perform from public.training_configs c where c.id = p_package_id for no key update;
    select v.id, v.version_number into newest_id, newest_number
    from public.training_package_versions v
    join public.training_configs c on c.id = v.package_id
    where v.package_id = p_package_id
        and v.status = 'published'
        and v.created_by is not distinct from c.user_id
    order by v.version_number desc
    limit 1;
    update public.training_configs
    set current_version_id = newest_id, latest_published_version = coalesce(newest_number, 0)
    where id = p_package_id;
end
$$;

-- The next number: the lowest above the last one given that no version has or had. Null for
-- somebody else's package.
create function training_versions_internal.next_number(p_package_id uuid)
returns integer
stable
security definer
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    next_number integer;
begin
    select coalesce(n.last_number, 0) into next_number
    from public.training_configs c
    left join training_versions_internal.package_numbers n on n.package_id = c.id
    where c.id = p_package_id
        and (pg_trigger_depth() > 0 or training_versions_internal.acts_for(c.user_id));
    while next_number is not null loop
        next_number := next_number + 1;
        exit when not exists (
            select from public.training_package_versions v
            where v.package_id = p_package_id and v.version_number = next_number
        ) and not exists (
            select from training_versions_internal.deletions d
            where d.package_id = p_package_id and d.version_number = next_number
        );
    end loop;
    return next_number;
end
$$;
grant execute on function training_versions_internal.next_number to authenticated, service_role;

-- The owner of the package; refused unless the caller is that, or may act for all.
create function training_versions_internal.owner_for_import(p_package_id uuid)
returns uuid
set search_path = ''
language plpgsql
as $$
declare
    package_owner pg_catalog.uuid;
begin
    select c.user_id into package_owner
    from public.training_configs c
    where c.id = p_package_id and training_versions_internal.acts_for(c.user_id);
    if not found then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    return package_owner;
end
$$;

-- Is this a package of the caller? What policies and triggers ask, instead of reading
-- training_configs themselves: an app's policy there may read the versions, and policies that read
-- each other's tables are refused as a recursion (42P17). Definer, so that no policy applies; it
-- tells of the caller's own packages only.
create function training_versions_internal.owns_package(p_package_id uuid)
returns boolean
stable
security definer
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from public.training_configs c
        where c.id = p_package_id and c.user_id = auth.uid()
    );
end
$$;
grant execute on function training_versions_internal.owns_package to authenticated, service_role;

-- What the versions of a package add up to. A function, so that a page of a list asks it for the
-- packages of that page alone: the planner leaves what is expensive until after the limit. Sums are
-- null where no version has a value.
create function training_versions_internal.package_totals(p_package_id uuid)
returns jsonb
stable
set search_path = ''
language plpgsql
as $$
begin
    return (
        select jsonb_build_object(
            'drafts', count(*) filter (where v.status = 'draft'),
            'last_change_at', max(v.updated_at),
            'estimated_cost', sum(v.estimated_cost),
            'actual_cost', sum(v.actual_cost),
            'budget_limit', sum(v.budget_limit),
            'latest_published_at', (
                select p.published_at
                from public.training_published_versions p
                where p.package_id = p_package_id
                order by p.version_number desc
                limit 1
            ),
            'live', coalesce(
                (
                    select jsonb_agg(to_jsonb(d) - 'owner_id' order by d.target)
                    from public.training_deployments d
                    where d.package_id = p_package_id and d.ended_at is null
                ),
                '[]'
            )
        )
        from public.training_package_versions v
        where v.package_id = p_package_id
    );
end
$$;
grant execute on function training_versions_internal.package_totals to authenticated, service_role;

-- Does the reader of a bundle get the same from two JSON values? Not as written: an export passes
-- through a program, which writes 1.10 as 1.1. But 1 and 1.0 are two values to it as well.
create function training_versions_internal.reads_alike(p_one jsonb,
    p_other jsonb)
returns boolean
immutable
set search_path = ''
language sql
as $$
    select p_one = p_other and not exists (
        -- Equal values have their numbers at the same places, in the same order.
        select from jsonb_path_query(p_one, 'strict $.** ? (@.type() == "number")')
            with ordinality as o (number, place)
        join jsonb_path_query(p_other, 'strict $.** ? (@.type() == "number")')
            with ordinality as p (number, place) on p.place = o.place
        where (scale(o.number::numeric) = 0) <> (scale(p.number::numeric) = 0)
    )
$$;

-- Records a cost under the lock on the version, and returns the entry and the new sum. Definer, and
-- called through a function in public, for the reasons that 20261122000050 gives for training.
create function training_versions_internal.record_cost(
    p_version_id uuid,
    p_amount numeric,
    p_note text,
    p_key text,
    p_alert_at integer[],
    p_entry_id uuid
)
returns jsonb
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    entry public.training_costs;
begin
    perform training_versions_internal.check_cost_entry(p_amount, p_note, p_key, p_alert_at);
    version := training_versions_internal.lock_owned_version(p_version_id);
    if p_entry_id is not null and training_versions_internal.claim_id(
        'cost',
        p_entry_id,
        jsonb_build_array(
            p_version_id, trim_scale(p_amount), p_note, p_key,
            (select jsonb_agg(distinct s) from unnest(p_alert_at) as s)  -- in any order
        )
    ) = false then
        perform training_versions_internal.refuse_taken_id(p_entry_id, 'was given to another call');
    end if;
    entry := training_versions_internal.find_cost_entry(p_version_id, p_amount, p_key, p_entry_id);
    if entry.id is not null then
        perform training_versions_internal.say_replayed();
    else
        if coalesce(version.actual_cost, 0) + p_amount > 99999999.99 then
            perform training_versions_internal.refuse_value(
                'amount',
                'actual_cost would be more than 99,999,999.99',
                'That is the most the column holds.'
            );
        end if;
        entry := training_versions_internal.add_cost_entry(
            version, p_amount, p_note, p_key,
            training_versions_internal.crossed_shares(version, p_amount, p_alert_at),
            coalesce(p_entry_id, gen_random_uuid())
        );
        select v.actual_cost into version.actual_cost
        from public.training_package_versions v
        where v.id = p_version_id;
    end if;
    return to_jsonb(entry) - 'owner_id' || jsonb_build_object(
        'package_id', version.package_id, 'version_number', version.version_number,
        'actual_cost', version.actual_cost, 'budget_limit', version.budget_limit
    );
end
$$;
grant execute on function training_versions_internal.record_cost to authenticated, service_role;

-- Adds the event of a new version: `created`, or its origin.
create function training_versions_internal.record_creation()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    origin training_versions_internal.version_origins;
begin
    select * into origin
    from training_versions_internal.version_origins o
    where o.version_id = new.id;
    if found then
        perform training_versions_internal.record_event(new.id, origin.kind, origin.details);
    else
        perform training_versions_internal.record_event(
            new.id, 'created', jsonb_build_object('parent_version_id', new.parent_version_id)
        );
    end if;
    return null;
end
$$;

-- Records a deleted package as one entry, in place of those of its drafts, whose numbers cannot be
-- given again in it. Definer, because nobody is granted the record of deletions.
create function training_versions_internal.record_deleted_package()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    delete from training_versions_internal.claims c where c.id = old.id and c.kind = 'package';
    delete from training_versions_internal.deletions where package_id = old.id;
    insert into training_versions_internal.deletions (id, package_id, owner_id)
    values (old.id, old.id, old.user_id);
    return null;
end
$$;

-- Adds the event of a deleted draft.
create function training_versions_internal.record_deletion()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    -- A version that is deleted with its whole package leaves no event: they are deleted, too.
    if exists (select from public.training_configs c where c.id = old.package_id) then
        insert into public.training_version_events
            (package_id, version_id, version_number, owner_id, kind, actor_id, details)
        values (
            old.package_id, old.id, old.version_number, old.created_by,
            'deleted', auth.uid(), jsonb_build_object('name', old.name)
        );
    end if;
    return null;
end
$$;

-- Deployments follow the columns of a version, whoever writes them. Definer, as above.
create function training_versions_internal.record_deployment()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions := new;
begin
    -- To pass a row on is to read all of its snapshots.
    version.config_snapshot := null;
    version.model_snapshot := null;
    version.dataset_snapshot := null;
    perform training_versions_internal.lock_package(new.package_id);
    if not new.is_deployed then
        -- Where nothing was live, a client may prepare the other columns before it deploys.
        if training_versions_internal.end_deployments(new.id, null, clock_timestamp()) then
            perform training_versions_internal.show_deployment(new.id);
        end if;
    elsif not training_versions_internal.is_live(
        new.id, new.deployment_target, new.deployment_url, new.deployment_id
    ) then
        -- A client wrote the columns. They show one target only, so that writing another target
        -- there moves the version to it. (On insert, old is null.)
        if old.is_deployed and old.deployment_target <> new.deployment_target then
            perform training_versions_internal.end_deployments(
                new.id, old.deployment_target, clock_timestamp()
            );
        end if;
        perform training_versions_internal.begin_deployment(
            version, new.deployment_target, new.deployment_url, new.deployment_id
        );
    end if;
    return null;
end
$$;

-- The change that a client makes to actual_cost becomes an entry, so that the entries add up to it.
-- Definer, because nobody is granted a write to them.
create function training_versions_internal.record_direct_cost()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    recorded numeric;
    difference numeric;
begin
    select s.total into recorded
    from training_versions_internal.cost_sums s
    where s.version_id = new.id;
    difference := coalesce(new.actual_cost, 0) - coalesce(recorded, 0);
    if difference = 0 then
        return null;
    end if;
    perform training_versions_internal.insert_cost_entry(
        new, difference, 'written to actual_cost', null, '{}', gen_random_uuid()
    );
    -- The events of an imported version are imported with it.
    if not training_versions_internal.is_importing() then
        perform training_versions_internal.record_event(
            new.id, 'cost_recorded', jsonb_build_object('amount', difference)
        );
    end if;
    return null;
end
$$;

-- Folds edits by the same user within a minute into one event: a client that saves at every pause
-- in typing would fill the history. Imported events (with a source) are never folded into.
create function training_versions_internal.record_edit(p_version_id uuid,
    p_paths text[])
returns void
set search_path = ''
language plpgsql
as $$
begin
    update public.training_version_events
    set details = training_versions_internal.edit_details(
            details,
            p_paths,
            -- Two triggers record what one statement edits.
            coalesce(last_at, occurred_at) >= statement_timestamp()
        ),
        last_at = clock_timestamp()
    where id = (
        select e.id
        from public.training_version_events e
        where e.version_id = p_version_id
            and e.kind = 'edited'
            and e.actor_id is not distinct from auth.uid()
            and e.occurred_at > clock_timestamp() - interval '1 minute'
            and e.source is null
        order by e.occurred_at desc, e.id desc
        limit 1
    );
    if not found then
        perform training_versions_internal.record_event(
            p_version_id, 'edited', training_versions_internal.edit_details(null, p_paths, false)
        );
    end if;
end
$$;

-- Adds the event of an edit of other columns: of a draft, or of the costs that are never frozen.
create function training_versions_internal.record_edits()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    was constant public.training_package_versions :=
        training_versions_internal.without_facts(old);
    is_now public.training_package_versions := training_versions_internal.without_facts(new);
    paths pg_catalog.text[];
begin
    if new.status <> old.status then  -- what publishing changes is in its own event
        is_now.name := was.name;
        is_now.published_at := was.published_at;
        is_now.published_by := was.published_by;
    end if;
    if was *= is_now then
        return null;
    end if;
    paths := array(
        select p
        from training_versions_internal.differences(was, is_now) as d
        cross join lateral training_versions_internal.changed_paths(
            d.old_value, d.new_value, '/' || d.column_name, 101
        ) as p
        where d.column_name = any (training_versions_internal.editable_columns())
        limit 101
    );
    if paths <> '{}' then
        perform training_versions_internal.record_edit(new.id, paths);
    end if;
    return null;
end
$$;

-- Adds an event about a version, which is named and not passed: to pass a row is to read all of its
-- snapshots. Called by the definer functions of this schema only.
create function training_versions_internal.record_event(
    p_version_id uuid,
    p_kind text,
    p_details jsonb default '{}'
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    insert into public.training_version_events
        (package_id, version_id, version_number, owner_id, kind, actor_id, details)
    select
        v.package_id, v.id, v.version_number, v.created_by,
        p_kind, auth.uid(), jsonb_strip_nulls(p_details)
    from public.training_package_versions v
    where v.id = p_version_id;
end
$$;

-- Merges metrics into those of the version; with a step, also adds them to the curves of the run.
create function training_versions_internal.record_metrics(
    p_version_id uuid,
    p_metrics jsonb,
    p_step bigint,
    p_run_id uuid
)
returns public.training_package_version_summaries
security definer
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    version public.training_package_versions;
    run public.training_runs;
    merged pg_catalog.jsonb := p_metrics;
begin
    version := training_versions_internal.lock_owned_version(p_version_id);
    run := training_versions_internal.find_run(version, p_run_id);
    perform training_versions_internal.check_snapshot('metrics', p_metrics, 'object');
    perform training_versions_internal.check_text('metrics', k, 255)
    from jsonb_object_keys(p_metrics) as k;
    if p_run_id is not null then
        perform training_versions_internal.check_running(run, 'running');
    end if;
    if p_step is not null then
        perform training_versions_internal.add_points(version, run, p_metrics, p_step);
    end if;

    -- An older client may have written something other than an object to the column.
    if jsonb_typeof(version.training_metrics) = 'object' then
        merged := version.training_metrics || p_metrics;
    end if;
    if record_image_ne(row(merged), row(coalesce(version.training_metrics, '{}'))) then
        update public.training_package_versions
        set training_metrics = merged
        where id = p_version_id;
    end if;
    return training_versions_internal.see_summary(p_version_id);
end
$$;
grant execute on function training_versions_internal.record_metrics to authenticated, service_role;

-- Adds the event of an edit of snapshots. Fires for statements that name one, since to compare them
-- is to read them whole. Of 101 paths an event holds a hundred, and that there are more.
create function training_versions_internal.record_snapshot_edits()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    paths constant pg_catalog.text[] := array(
        select p
        from (
            values
                ('/config_snapshot', old.config_snapshot, new.config_snapshot),
                ('/model_snapshot', old.model_snapshot, new.model_snapshot),
                ('/dataset_snapshot', old.dataset_snapshot, new.dataset_snapshot)
        ) as s (place, before, after)
        cross join lateral training_versions_internal.changed_paths(
            s.before, s.after, s.place, 101
        ) as p
        limit 101
    );
begin
    if paths <> '{}' then
        perform training_versions_internal.record_edit(new.id, paths);
    end if;
    return null;
end
$$;

-- Adds the event of a new status.
create function training_versions_internal.record_status()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.record_event(
        new.id, new.status, jsonb_build_object('name', new.name)
    );
    return null;
end
$$;

-- Runs and events follow training_status, whoever writes it. Definer, because nobody is granted a
-- write to either.
create function training_versions_internal.record_training()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    is_importing constant boolean := training_versions_internal.is_importing();
    run public.training_runs;
    kind pg_catalog.text := 'training_' || new.training_status;
begin
    if new.training_status = 'running' then
        kind := 'training_started';
        insert into public.training_runs (version_id, owner_id, started_at, started_by)
        values (
            new.id, new.created_by,
            coalesce(new.training_started_at, clock_timestamp()),  -- an import may set none
            auth.uid()
        )
        on conflict do nothing;  -- start_training may have inserted the run already
        run := training_versions_internal.find_run(new, null);
    elsif new.training_status <> 'pending' then
        update public.training_runs r
        set status = new.training_status,
            started_at = new.training_started_at, ended_at = new.training_completed_at
        where r.version_id = new.id and r.status = 'running'
        returning * into run;
        -- Nobody said that it began. (The run of an imported version is imported with it.)
        if not found and not is_importing then
            insert into public.training_runs
                (version_id, owner_id, status, started_at, ended_at, started_by)
            values (
                new.id, new.created_by, new.training_status,
                new.training_started_at, new.training_completed_at, auth.uid()
            )
            returning * into run;
            perform training_versions_internal.record_event(
                new.id, 'training_started', jsonb_build_object('run_id', run.id)
            );
        end if;
    end if;

    -- The events of an imported version are imported with it.
    if not is_importing then
        perform training_versions_internal.record_event(
            new.id, kind, jsonb_build_object('run_id', run.id, 'reason', run.reason)
        );
    end if;
    return null;
end
$$;

-- Every refusal of ours: a code that errors.py knows, a sentence, a JSON object, and what to do;
-- one of the last two may be missing. RAISE takes no null, hence the branches.
create function training_versions_internal.refuse(
    p_errcode text,
    p_message text,
    p_detail jsonb default '{}',
    p_hint text default null
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    if p_detail = '{}' then
        raise exception using errcode = p_errcode, message = p_message, hint = p_hint;
    elsif p_hint is null then
        raise exception using
            errcode = p_errcode, message = p_message, detail = p_detail::pg_catalog.text;
    end if;
    raise exception using
        errcode = p_errcode, message = p_message, detail = p_detail::pg_catalog.text, hint = p_hint;
end
$$;
grant execute on function training_versions_internal.refuse to authenticated, service_role;

-- Refuses a change of frozen columns.
create function training_versions_internal.refuse_frozen(
    p_version public.training_package_versions,
    p_columns text[]
)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV301',
        format(
            '%s of %s cannot change: it is %s',
            array_to_string(p_columns, ', '),
            training_versions_internal.version_label(
                p_version.package_id, p_version.version_number
            ),
            p_version.status
        ),
        jsonb_build_object(
            'version_id', p_version.id, 'version_number', p_version.version_number,
            'columns', p_columns
        ),
        'Create a new draft from it.'
    )
$$;

-- Refuses an import (TV207).
create function training_versions_internal.refuse_import(
    p_given public.training_package_versions,
    p_message text
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.refuse(
        'TV207',
        p_message,
        jsonb_build_object('version_id', p_given.id, 'version_number', p_given.version_number),
        'Import into a new package.'
    );
end
$$;

-- Refuses a package that is not there, or that the caller may not see.
create function training_versions_internal.refuse_missing_package(p_package_id uuid)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV102',
        format('there is no package %s, or it is not yours', p_package_id),
        jsonb_build_object('package_id', p_package_id),
        'Check the id, and that you are signed in as the user who created it.'
    )
$$;
grant execute on function training_versions_internal.refuse_missing_package to authenticated, service_role;

-- Refuses a version that is not there, or that the caller may not see.
create function training_versions_internal.refuse_missing_version(p_version_id uuid)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV101',
        format('there is no version %s, or it is not yours', p_version_id),
        jsonb_build_object('version_id', p_version_id),
        'Check the id, and that you are signed in as the user who created it.'
    )
$$;
grant execute on function training_versions_internal.refuse_missing_version to authenticated, service_role;

-- A draft is signed by nobody yet. (One from before these rules may be, and keeps it.)
create function training_versions_internal.refuse_signed_draft()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.refuse_value(
        'published_at',
        'published_at and published_by are set by publishing',
        'Leave them out.'
    );
    return new;
end
$$;

-- Refuses what the status of a version does not allow. p_predicate completes the sentence
-- "version 3 of 'bot' …".
create function training_versions_internal.refuse_status(
    p_errcode text,
    p_version public.training_package_versions,
    p_predicate text,
    p_hint text
)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        p_errcode,
        format(
            '%s %s',
            training_versions_internal.version_label(
                p_version.package_id, p_version.version_number
            ),
            p_predicate
        ),
        jsonb_build_object(
            'version_id', p_version.id,
            'version_number', p_version.version_number,
            'status', p_version.status
        ),
        p_hint
    )
$$;
grant execute on function training_versions_internal.refuse_status to authenticated, service_role;

-- Refuses an id that belongs to something else. p_predicate completes the sentence "the id …".
create function training_versions_internal.refuse_taken_id(p_id uuid,
    p_predicate text)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV204',
        format('the id %s %s', p_id, p_predicate),
        jsonb_build_object('id', p_id),
        'Use a new id for something new.'
    )
$$;
grant execute on function training_versions_internal.refuse_taken_id to authenticated, service_role;

-- Refuses a change of training_status, with both states in the detail.
create function training_versions_internal.refuse_training_status(
    p_version public.training_package_versions,
    p_was text,
    p_wanted text
)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV205',
        format(
            'training of %s %s and cannot become %s',
            training_versions_internal.version_label(
                p_version.package_id, p_version.version_number
            ),
            coalesce('is ' || p_was, 'has not started'),
            coalesce(p_wanted, 'not started')
        ),
        jsonb_build_object(
            'version_id', p_version.id, 'training_status', p_was, 'wanted', p_wanted
        ),
        'Training starts, then completes, fails or is cancelled; '
        'failed and cancelled training may start again.'
    )
$$;

-- A value that is not acceptable; the detail names the field.
create function training_versions_internal.refuse_value(
    p_field text,
    p_message text,
    p_hint text default null
)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV306', p_message, jsonb_build_object('field', p_field), p_hint
    )
$$;
grant execute on function training_versions_internal.refuse_value to authenticated, service_role;

-- Says in a header of the reply that this call created nothing, since an earlier one with the same
-- id had done so. (PostgREST sends what it finds in this setting.)
create function training_versions_internal.say_replayed()
returns void
set search_path = ''
language plpgsql
as $$
declare
    headers constant pg_catalog.jsonb :=
        coalesce(nullif(current_setting('response.headers', true), '')::pg_catalog.jsonb, '[]');
begin
    perform set_config(
        'response.headers', (headers || '[{"Idempotent-Replayed": "true"}]')::pg_catalog.text, true
    );
end
$$;
grant execute on function training_versions_internal.say_replayed to authenticated, service_role;

-- The summary of a version, for the functions of this schema that return one. Its snapshots are not
-- read, however large they are.
create function training_versions_internal.see_summary(p_version_id uuid)
returns public.training_package_version_summaries
stable
set search_path = ''
language plpgsql
as $$
begin
    return (
        select s from public.training_package_version_summaries s where s.id = p_version_id
    );
end
$$;

-- The version; refused if the caller sees none.
create function training_versions_internal.see_version(p_version_id uuid)
returns public.training_package_versions
stable
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    select * into version from public.training_package_versions v where v.id = p_version_id;
    if not found then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    return version;
end
$$;
grant execute on function training_versions_internal.see_version to authenticated, service_role;

-- The shares of the budget that alerts were sent for: those of the entries, because a client may
-- have overwritten the column; and those of the column, because an import has no entries. A column
-- that is not an array counts as empty, and the next alert replaces it.
create function training_versions_internal.sent_alerts(p_version public.training_package_versions)
returns jsonb
set search_path = ''
language plpgsql
as $$
begin
    return (
        select coalesce(jsonb_agg(distinct share), '[]')
        from (
            select to_jsonb(unnest(c.alerts)) as share
            from public.training_costs c
            where c.version_id = p_version.id and c.alerts <> '{}'
            union all
            select jsonb_array_elements(p_version.cost_alerts_sent)
            where jsonb_typeof(p_version.cost_alerts_sent) = 'array'
        ) as sent
    );
end
$$;

-- Makes the columns of a version show the latest of its live deployments, or that there is none.
create function training_versions_internal.show_deployment(p_version_id uuid)
returns void
set search_path = ''
language plpgsql
as $$
declare
    live public.training_deployments;
begin
    select * into live
    from public.training_deployments d
    where d.version_id = p_version_id and d.ended_at is null
    order by d.started_at desc
    limit 1;
    update public.training_package_versions
    set is_deployed = live.id is not null, deployment_target = live.target,
        deployment_url = live.url, deployment_id = live.deployment_id
    where id = p_version_id
        and (is_deployed, deployment_target, deployment_url, deployment_id)
            is distinct from (live.id is not null, live.target, live.url, live.deployment_id);
end
$$;

-- Publishing signs with the database's clock. It removes `-draft-<day>` from a name that was not
-- given with it, unless nothing else is in the name. Nobody signs for someone else; a role without
-- a user signs for the package's owner unless it sets published_by.
create function training_versions_internal.sign_published()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if new.published_by is not distinct from old.published_by then
        new.published_by := null;
    end if;
    if new.published_by <> auth.uid() then
        perform training_versions_internal.refuse(
            '42501',
            'published_by must be the user who publishes',
            jsonb_build_object('field', 'published_by'),
            'Leave published_by out.'
        );
    end if;
    new.published_by := coalesce(
        new.published_by,
        auth.uid(),
        (select c.user_id from public.training_configs c where c.id = new.package_id)
    );
    new.published_at := clock_timestamp();
    if new.name = old.name
        and current_setting('training_versions.keep_name', true) is distinct from 'on'
    then
        new.name := regexp_replace(new.name, '(\S\s*)-draft-\d{8}$', '\1');
    end if;
    return new;
end
$$;

-- A version starts as a draft, unless it is imported. created_by defaults to the signed-in user,
-- or, for a role without a user, to the owner of the package, who is asked for under the lock on
-- the package. The package must be there already: a foreign key that is checked later, such as at
-- the end of the statement, would let a version without owner and number pass.
create function training_versions_internal.start_as_draft()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_owner pg_catalog.uuid;
begin
    select c.user_id into package_owner
    from public.training_configs c
    where c.id = new.package_id
    for no key update;
    if not found then
        -- To clients this is the violation of the foreign key that it always was.
        perform training_versions_internal.refuse(
            '23503',
            format('there is no package %s', new.package_id),
            jsonb_build_object('field', 'package_id'),
            'Create the package first.'
        );
    end if;
    if new.status is distinct from 'draft' and not training_versions_internal.is_importing() then
        perform training_versions_internal.refuse(
            'TV302',
            format('a version starts as a draft, not as %s', coalesce(new.status, 'null')),
            jsonb_build_object('field', 'status', 'status', new.status),
            'Insert it with status draft, then publish it.'
        );
    end if;
    new.created_by := coalesce(new.created_by, auth.uid(), package_owner);
    return new;
end
$$;

-- Starts a run, or returns the one that an earlier call with the same p_run_id started.
create function training_versions_internal.start_training(p_version_id uuid,
    p_run_id uuid)
returns public.training_runs
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    run public.training_runs;
begin
    version := training_versions_internal.lock_owned_version(p_version_id);
    select * into run from public.training_runs r where r.id = p_run_id;
    if run.version_id = p_version_id then
        perform training_versions_internal.say_replayed();
        return run;
    end if;
    if run.id is null then
        perform training_versions_internal.check_may_train(version);
        run := training_versions_internal.begin_run(version, p_run_id);
    end if;
    if run.version_id is distinct from p_version_id then
        perform training_versions_internal.refuse_taken_id(
            p_run_id, 'is another version''s run already'
        );
    end if;
    update public.training_package_versions set training_status = 'running' where id = p_version_id;
    return run;
end
$$;
grant execute on function training_versions_internal.start_training to authenticated, service_role;

-- Is an imported version 'here' already, was it 'deleted' here, or is it 'new'? Refuses one whose
-- id belongs to a version of another package, or whose number belongs to another version of this
-- one.
create function training_versions_internal.state_of_import(p_given public.training_package_versions)
returns text
set search_path = ''
language plpgsql
as $$
declare
    package_there pg_catalog.uuid;
begin
    select v.package_id into package_there
    from public.training_package_versions v
    where v.id = p_given.id;
    if package_there = p_given.package_id then
        return 'here';
    end if;
    if package_there is not null then
        perform training_versions_internal.refuse_taken_id(
            p_given.id, 'is that of a version in another package'
        );
    end if;
    if exists (
        select from training_versions_internal.deletions d
        where d.id = p_given.id
            and d.package_id = p_given.package_id and d.version_number = p_given.version_number
    ) then
        return 'deleted';
    end if;
    if exists (
        select from public.training_package_versions v
        where v.package_id = p_given.package_id and v.version_number = p_given.version_number
    ) or exists (
        select from training_versions_internal.deletions d
        where d.package_id = p_given.package_id and d.version_number = p_given.version_number
    ) then
        perform training_versions_internal.refuse_import(
            p_given,
            format(
                'number %s was given to another version of package %s',
                p_given.version_number, p_given.package_id
            )
        );
    end if;
    return 'new';
end
$$;

-- Ends the deployments of a version, unless this call was carried out before.
create function training_versions_internal.undeploy(p_version_id uuid,
    p_target text,
    p_call_id uuid)
returns public.training_package_version_summaries
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    was_live boolean;
begin
    if p_target is not null then
        perform training_versions_internal.check_target(p_target);
    end if;
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.lock_owned_version(p_version_id);
    if training_versions_internal.claim_call(
        p_call_id, p_version_id, concat_ws(' ', 'undeploy', p_target)
    ) then
        was_live := training_versions_internal.end_deployments(
            p_version_id, p_target, clock_timestamp()
        );
        -- In older data a version may be marked as deployed without a deployment.
        if was_live or version.is_deployed then
            perform training_versions_internal.show_deployment(p_version_id);
        end if;
    end if;
    return training_versions_internal.see_summary(p_version_id);
end
$$;
grant execute on function training_versions_internal.undeploy to authenticated, service_role;

-- Moves the pointers of the package when the status of a version changes.
create function training_versions_internal.update_pointers()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.move_pointers(new.package_id);
    return null;
end
$$;

-- updated_at moves with every change, also when the clock does not; so does content_updated_at
-- with an edit. A trigger of the app that has called this function since the first release, on a
-- table of its own, is served as it was then. Invoker: it needs nothing.
create function training_versions_internal.update_training_package_versions_updated_at()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    if tg_relid <> 'public.training_package_versions'::pg_catalog.regclass then
        new.updated_at := now();
        return new;
    end if;
    new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
    if new.content_updated_at is null then
        new.content_updated_at := new.updated_at;
    else
        new.content_updated_at := least(new.content_updated_at, old.updated_at);
    end if;
    return new;
end
$$;

-- Keeps training_configs.version_count, and remembers what was deleted. What was asked for under
-- its id is forgotten: once its package is deleted, too, somebody else may use the id.
create function training_versions_internal.update_version_count()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        update public.training_configs
        set version_count = version_count + 1
        where id = new.package_id;
        return null;
    end if;
    delete from training_versions_internal.claims c where c.id = old.id and c.kind = 'version';
    update public.training_configs
    set version_count = version_count - 1
    where id = old.package_id;
    if found then
        insert into training_versions_internal.deletions (id, package_id, version_number, owner_id)
        values (old.id, old.package_id, old.version_number, old.created_by);
    end if;
    return null;
end
$$;

-- How refusals name a version: its number, and the name of its package; or the id of its package,
-- where the caller may not act for the owner.
create function training_versions_internal.version_label(p_package_id uuid,
    p_version_number integer)
returns text
stable
set search_path = ''
language sql
as $$
    select format(
        'version %s of %s',
        p_version_number,
        coalesce(
            (
                select quote_literal(c.name)
                from public.training_configs c
                where c.id = p_package_id and training_versions_internal.acts_for(c.user_id)
            ),
            'package ' || p_package_id
        )
    )
$$;
grant execute on function training_versions_internal.version_label to authenticated, service_role;

-- Was this deleted by its owner? Definer, because nobody is granted the record of deletions.
create function training_versions_internal.was_deleted(p_id uuid,
    p_is_package boolean)
returns boolean
stable
security definer
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from training_versions_internal.deletions d
        where d.id = p_id
            and (d.version_number is null) = p_is_package
            and training_versions_internal.acts_for(d.owner_id)
    );
end
$$;
grant execute on function training_versions_internal.was_deleted to authenticated, service_role;

-- What of a version freezes, or is recorded as an edit: without its status, the facts that arrive
-- later, and the snapshots, which keep_snapshots() compares.
create function training_versions_internal.without_facts(p_version public.training_package_versions)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
begin
    p_version.config_snapshot := null;
    p_version.model_snapshot := null;
    p_version.dataset_snapshot := null;
    p_version.status := null;
    p_version.updated_at := null;
    p_version.content_updated_at := null;
    p_version.training_status := null;
    p_version.training_started_at := null;
    p_version.training_completed_at := null;
    p_version.training_metrics := null;
    p_version.is_deployed := null;
    p_version.deployment_target := null;
    p_version.deployment_url := null;
    p_version.deployment_id := null;
    p_version.actual_cost := null;
    p_version.cost_alerts_sent := null;
    return p_version;
end
$$;

-- What is wrong with an event: the name of a column, or null. What constraints refuse is left to
-- them. A number leaves room for those of the next drafts.
create function training_versions_internal.wrong_column(p_event public.training_version_events)
returns text
stable
set search_path = ''
language sql
as $$
    select case
        when p_event.version_id is null then 'version_id'
        when p_event.version_number is null or p_event.version_number > 1000000000
            then 'version_number'
        when p_event.kind is null then 'kind'
        when p_event.occurred_at is null
            or p_event.occurred_at
                not between '0001-01-01 00:00:00+00' and clock_timestamp() + interval '1 day'
            then 'occurred_at'
        when p_event.last_at
            not between p_event.occurred_at and clock_timestamp() + interval '1 day'
            then 'last_at'
        when jsonb_typeof(p_event.details) <> 'object' then 'details'
        when char_length(p_event.source) > 500 then 'source'
    end
$$;
