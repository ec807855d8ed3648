"""An app may add columns of any name to both tables, also of one that a function of ours uses."""

import json
import re
from uuid import uuid4

import pytest

from tests.server.schema.databases import EMPTY_FIELDS

PACKAGES, VERSIONS = "public.training_configs", "public.training_package_versions"
OURS = "'public'::regnamespace, 'training_versions_internal'::regnamespace"


@pytest.fixture
def database(server):
    database = server.migrated_project()
    sources = database.rows(f"select prosrc from pg_proc where pronamespace in ({OURS})")
    declared = [re.search(r"^declare\n(.*?)^begin", s["prosrc"], re.S | re.M) for s in sources]
    names = {name for d in declared if d for name in re.findall(r"^    (\w+) ", d[1], re.M)}
    for table in (PACKAGES, VERSIONS):
        for name in sorted(names | set("cvnder")):
            database.run(f"alter table {table} add column if not exists {name} text default 'x'")
    assert {"owner", "version", "next_number"} <= names
    return database


def test_every_kind_of_write_goes_on(database):
    user, other, run = database.new_user(), str(uuid4()), str(uuid4())

    def call(text):
        return database.rows(f"select * from public.{text}", user=user)[0]

    package = call("get_or_create_training_package('bot', 'lora_finetuning', '{}')")["id"]
    assert call("get_or_create_training_package('bot', '', '{}')")["id"] == package
    call(f"""update_training_package('{package}', '{{"name": "other"}}')""")
    draft = call(f"create_training_draft('{package}', '{EMPTY_FIELDS}')")["id"]
    call(f"""update_training_draft('{draft}', '{{"config_snapshot": {{"r": 1.0}}}}')""")
    call(f"start_version_training('{draft}', '{run}')")
    call(f"""record_version_metrics('{draft}', '{{"loss": 1}}', 1, '{run}')""")
    call(f"get_metric_names('{draft}')")
    call(f"complete_version_training('{draft}', '{run}', '{uuid4()}')")
    call(f"record_training_cost('{draft}', 1)")
    call(f"publish_training_version('{draft}')")
    call(f"deploy_training_version('{draft}', 'local')")
    copy = call(f"restore_training_version('{draft}')")["id"]
    call(f"get_version_lineage('{copy}')")
    bundle = call(f"export_training_versions('{package}', 0, 9, 9999)")["export_training_versions"]
    new = '{"name": "bot", "template_type": "lora_finetuning", "config_json": {}}'
    call(f"import_training_versions('{other}', '{json.dumps(bundle)}', false, '{new}')")
    call(f"archive_training_version('{draft}')")
    call(f"delete_training_draft('{copy}')")

    numbers = f"select version_number, status from {VERSIONS} where package_id = '{package}'"
    assert database.rows(numbers, user=user) == [{"version_number": 1, "status": "archived"}]
