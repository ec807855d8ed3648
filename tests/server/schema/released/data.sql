-- What a year of use, without today's rules, left in a database with the first release. All of it was allowed then.

insert into auth.users (id, email) values
    ('aaaaaaaa-0000-4000-8000-000000000000', 'ada@example.com'),
    ('bbbbbbbb-0000-4000-8000-000000000000', 'bo@example.com'),
    ('cccccccc-0000-4000-8000-000000000000', 'cy@example.com');

insert into public.training_configs (id, user_id, name, description, template_type, config_json, is_favourite, tags) values
    ('11111111-0000-4000-8000-000000000000', 'aaaaaaaa-0000-4000-8000-000000000000', 'support-bot', 'the busy one',
     'lora_finetuning', '{"r": 16}', true, '{prod,chat}'),
    ('22222222-0000-4000-8000-000000000000', 'aaaaaaaa-0000-4000-8000-000000000000', 'triage', 'nothing in it',
     'lora_finetuning', null, false, '{}'),
    ('33333333-0000-4000-8000-000000000000', 'bbbbbbbb-0000-4000-8000-000000000000', 'summariser', 'the stranger''s own',
     'full_finetuning', '{}', null, null),
    ('44444444-0000-4000-8000-000000000000', 'aaaaaaaa-0000-4000-8000-000000000000', 'retired', 'only archived ones',
     'lora_finetuning', '{}', false, '{}'),
    ('55555555-0000-4000-8000-000000000000', 'cccccccc-0000-4000-8000-000000000000', 'sketches', 'drafts only',
     'lora_finetuning', '[]', false, '{}'),
    ('66666666-0000-4000-8000-000000000000', 'cccccccc-0000-4000-8000-000000000000', repeat('long ', 80),
     'a stranger took the last number there is', 'lora_finetuning', '{}', false, '{}'),
    ('77777777-0000-4000-8000-000000000000', null, 'house-template', 'nobody''s', 'lora_finetuning', '{}', false, '{}'),
    ('88888888-0000-4000-8000-000000000000', 'aaaaaaaa-0000-4000-8000-000000000000', '', 'no name',
     'lora_finetuning', '{}', false, '{}');

-- 'support-bot': every status, gaps (4 was deleted), service-made versions, and a stranger's draft and published version
-- with the highest numbers.
insert into public.training_package_versions
    (id, package_id, version_number, name, status, created_at, created_by, published_at, published_by, updated_at,
     config_snapshot, model_snapshot, dataset_snapshot, change_summary, parent_version_id) values
    ('11111111-0000-4000-8000-000000000001', '11111111-0000-4000-8000-000000000000', 1, 'support-bot-v1', 'archived',
     '2025-02-01 10:00+00', 'aaaaaaaa-0000-4000-8000-000000000000', '2025-02-01 11:00+00',
     'aaaaaaaa-0000-4000-8000-000000000000', '2025-02-20 10:00+00', '{"r": 8}', '{"id": "base"}', '[{"datasetId": "1"}]',
     'first', null),
    ('11111111-0000-4000-8000-000000000002', '11111111-0000-4000-8000-000000000000', 2, 'support-bot-v2', 'published',
     '2025-02-02 10:00+00', 'aaaaaaaa-0000-4000-8000-000000000000', '2025-02-02 11:00+00',
     'aaaaaaaa-0000-4000-8000-000000000000', '2025-02-02 11:00+00', '{"r": 16}', '{"id": "base"}', '[{"datasetId": "1"}]',
     null, '11111111-0000-4000-8000-000000000001'),
    ('11111111-0000-4000-8000-000000000003', '11111111-0000-4000-8000-000000000000', 3, 'support-bot-v3', 'published',
     null, 'aaaaaaaa-0000-4000-8000-000000000000', '2025-02-03 11:00+00', 'aaaaaaaa-0000-4000-8000-000000000000', null,
     '{"r": 32}', '{"id": "base"}', '[{"datasetId": "1"}, {"datasetId": "2"}]', null,
     '11111111-0000-4000-8000-000000000002'),
    ('11111111-0000-4000-8000-000000000005', '11111111-0000-4000-8000-000000000000', 5, 'support-bot-v5-draft-20250205',
     'draft', null, 'aaaaaaaa-0000-4000-8000-000000000000', null, null, null, '{"r": 64}', '{"id": "base"}', '[]', 'wip',
     '11111111-0000-4000-8000-000000000003'),
    ('11111111-0000-4000-8000-000000000006', '11111111-0000-4000-8000-000000000000', 6, 'nightly', 'draft',
     '2025-02-06 10:00+00', null, null, null, '2025-02-06 10:00+00', '{"made": "by the service"}', '{}', '[]', null, null),
    ('11111111-0000-4000-8000-000000000007', '11111111-0000-4000-8000-000000000000', 7, 'nightly-7', 'published',
     '2025-02-07 10:00+00', null, '2025-02-07 11:00+00', 'aaaaaaaa-0000-4000-8000-000000000000', '2025-02-07 11:00+00',
     '{"made": "by the service"}', '{}', '[]', null, null),
    ('11111111-0000-4000-8000-000000000008', '11111111-0000-4000-8000-000000000000', 8, 'taken back', 'draft',
     '2025-02-08 10:00+00', 'aaaaaaaa-0000-4000-8000-000000000000', '2025-02-08 11:00+00',
     'bbbbbbbb-0000-4000-8000-000000000000', '2025-02-08 12:00+00', '{"was": "published once"}', '{}', '[]', null, null),
    ('11111111-0000-4000-8000-000000000090', '11111111-0000-4000-8000-000000000000', 90, 'squatter-draft', 'draft',
     '2025-03-01 10:00+00', 'bbbbbbbb-0000-4000-8000-000000000000', null, null, '2025-03-01 10:00+00', '{"not": "yours"}',
     '{}', '[]', null, null),
    ('11111111-0000-4000-8000-000000000099', '11111111-0000-4000-8000-000000000000', 99, 'squatter', 'published',
     '2025-03-02 10:00+00', 'bbbbbbbb-0000-4000-8000-000000000000', '2025-03-02 11:00+00',
     'bbbbbbbb-0000-4000-8000-000000000000', '2025-03-02 11:00+00', '{"not": "yours"}', '{}', '[]', null,
     '11111111-0000-4000-8000-000000000003');

update public.training_package_versions
set is_deployed = true, deployment_target = 'hf_space', deployment_url = 'https://example.com/bot', training_status = 'completed',
    training_started_at = '2025-02-03 12:00+00', training_completed_at = '2025-02-03 13:00+00',
    training_metrics = '{"loss": [1.5, 0.25]}', estimated_cost = 12.50, actual_cost = 13.75, budget_limit = 20,
    cost_alerts_sent = '[{"at": 0.5}]'
where id = '11111111-0000-4000-8000-000000000002';

-- 'summariser', the stranger's own package: a draft whose parent is ada's version, and odd values that no check forbade.
insert into public.training_package_versions
    (id, package_id, version_number, name, status, created_by, published_at, published_by, config_snapshot,
     model_snapshot, dataset_snapshot, parent_version_id, is_deployed, estimated_cost, actual_cost, training_status) values
    ('33333333-0000-4000-8000-000000000001', '33333333-0000-4000-8000-000000000000', 1, '', 'draft',
     'bbbbbbbb-0000-4000-8000-000000000000', null, null, '"text"', 'null', '7', '11111111-0000-4000-8000-000000000002',
     null, null, null, null),
    ('33333333-0000-4000-8000-000000000002', '33333333-0000-4000-8000-000000000000', 2, repeat('x', 1000), 'published',
     'bbbbbbbb-0000-4000-8000-000000000000', '2025-02-02 11:00+00', 'aaaaaaaa-0000-4000-8000-000000000000', '[]', '[]',
     '{"datasetId": "not in an array"}', '11111111-0000-4000-8000-000000000003', null, -12.50, -0.01, 'failed'),
    ('33333333-0000-4000-8000-000000000003', '33333333-0000-4000-8000-000000000000', 3, '  ', 'archived', null, null, null,
     'null', '{}', '[]', '33333333-0000-4000-8000-000000000003', false, null, null, null);

-- 'retired': archived only, once straight from draft.
insert into public.training_package_versions
    (id, package_id, version_number, name, status, created_by, published_at, published_by, config_snapshot,
     model_snapshot, dataset_snapshot) values
    ('44444444-0000-4000-8000-000000000001', '44444444-0000-4000-8000-000000000000', 1, 'retired-v1', 'archived',
     'aaaaaaaa-0000-4000-8000-000000000000', null, null, '{}', '{}', '[]'),
    ('44444444-0000-4000-8000-000000000002', '44444444-0000-4000-8000-000000000000', 2, 'retired-v2', 'archived',
     'aaaaaaaa-0000-4000-8000-000000000000', '2025-02-02 11:00+00', 'aaaaaaaa-0000-4000-8000-000000000000', '{}', '{}', '[]');

-- 'sketches': drafts with numbers nobody would hand out, two of them each other's parent.
insert into public.training_package_versions
    (id, package_id, version_number, name, status, created_by, config_snapshot, model_snapshot, dataset_snapshot,
     parent_version_id) values
    ('55555555-0000-4000-8000-000000000001', '55555555-0000-4000-8000-000000000000', -3, 'below', 'draft',
     'cccccccc-0000-4000-8000-000000000000', '{}', '{}', '[]', null),
    ('55555555-0000-4000-8000-000000000002', '55555555-0000-4000-8000-000000000000', 0, 'hen', 'draft',
     'cccccccc-0000-4000-8000-000000000000', '{}', '{}', '[]', null),
    ('55555555-0000-4000-8000-000000000003', '55555555-0000-4000-8000-000000000000', 4, 'egg', 'draft',
     'cccccccc-0000-4000-8000-000000000000', '{}', '{}', '[]', '55555555-0000-4000-8000-000000000002');
update public.training_package_versions set parent_version_id = '55555555-0000-4000-8000-000000000003'
where id = '55555555-0000-4000-8000-000000000002';

-- The long-named one: its owner's two versions, and a stranger's with the last number an integer can hold.
insert into public.training_package_versions
    (id, package_id, version_number, name, status, created_by, published_at, published_by, config_snapshot,
     model_snapshot, dataset_snapshot) values
    ('66666666-0000-4000-8000-000000000001', '66666666-0000-4000-8000-000000000000', 1, 'long-v1', 'published',
     'cccccccc-0000-4000-8000-000000000000', '2025-02-02 11:00+00', 'cccccccc-0000-4000-8000-000000000000', '{}', '{}', '[]'),
    ('66666666-0000-4000-8000-000000000002', '66666666-0000-4000-8000-000000000000', 2, 'long-v2', 'draft',
     'cccccccc-0000-4000-8000-000000000000', null, null, '{}', '{}', '[]'),
    ('66666666-0000-4000-8000-000000000003', '66666666-0000-4000-8000-000000000000', 2147483647, 'the last', 'draft',
     'bbbbbbbb-0000-4000-8000-000000000000', null, null, '{}', '{}', '[]');

-- Nobody's package, with ada's draft in it.
insert into public.training_package_versions
    (id, package_id, version_number, name, status, created_by, config_snapshot, model_snapshot, dataset_snapshot) values
    ('77777777-0000-4000-8000-000000000001', '77777777-0000-4000-8000-000000000000', 1, 'house', 'draft',
     'aaaaaaaa-0000-4000-8000-000000000000', '{}', '{}', '[]');

insert into public.app_notes (config_id, body) values ('11111111-0000-4000-8000-000000000000', 'the app''s own');

-- Counters and pointers as the old triggers, and people who mended them by hand, left them.
update public.training_configs set version_count = 3, latest_published_version = 0, current_version_id = null
where id = '11111111-0000-4000-8000-000000000000';
update public.training_configs set version_count = 5, latest_published_version = null
where id = '22222222-0000-4000-8000-000000000000';
update public.training_configs
set version_count = null, latest_published_version = 99, current_version_id = '11111111-0000-4000-8000-000000000003'
where id = '33333333-0000-4000-8000-000000000000';
update public.training_configs
set version_count = -1, latest_published_version = 2, current_version_id = '44444444-0000-4000-8000-000000000002'
where id = '44444444-0000-4000-8000-000000000000';
update public.training_configs set current_version_id = '55555555-0000-4000-8000-000000000001'
where id = '55555555-0000-4000-8000-000000000000';
