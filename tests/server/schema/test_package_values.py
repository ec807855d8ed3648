"""The values of a package are the same whichever way it is written, and old rows keep theirs."""

import pytest

WRONG = {
    "an empty name": {"name": ""},
    "a blank name": {"name": " \t\n"},
    "a name that is too long": {"name": "x" * 256},
    "a blank template type": {"template_type": " "},
    "a template type that is too long": {"template_type": "x" * 101},
    "a list as config": {"config_json": []},
    "text as config": {"config_json": "{}"},
    "a number as config": {"config_json": 7},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_value_is_refused_in_an_insert_and_in_an_update(ada, actor, wrong):
    package, (field,) = ada.package(), WRONG[wrong]
    before = ada.see_package(package)

    answers = [
        actor.try_package(**{"user_id": ada.id, **WRONG[wrong]}),
        actor.patch_package(package, **WRONG[wrong]),
        actor.create_package(**{"user_id": ada.id, **WRONG[wrong]}),
        actor.update_package(package, WRONG[wrong]),
    ]

    assert [answer.code for answer in answers] == ["TV306"] * 4
    assert [answer.detail for answer in answers] == [{"field": field}] * 4
    assert ada.see_package(package) == before


def test_the_values_at_the_bounds_are_accepted(ada):
    columns = {"name": "x" * 255, "template_type": "x" * 100, "config_json": {}}

    assert {column: ada.package(**columns)[column] for column in columns} == columns


def test_a_package_of_the_first_release_keeps_what_it_has(callers_of_an_upgraded_project):
    callers = callers_of_an_upgraded_project
    odd = "name = '' or config_json is null or jsonb_typeof(config_json) <> 'object'"
    packages = callers.database.rows(f"select * from public.training_configs where {odd}")

    for package in packages:
        answer = callers.backend.patch_package(package, description="still there")

        assert answer.row["name"] == package["name"]
        assert answer.row["config_json"] == package["config_json"]
    assert len(packages) >= 3


def test_a_table_of_the_app_may_have_other_types_and_empty_columns(newest_server, migrations):
    database = newest_server.new_project()
    database.run("""
        create table public.training_configs (
            id uuid primary key default gen_random_uuid(),
            name varchar(80), template_type varchar(80), config_json json, user_id uuid
        )
    """)
    database.psql(*migrations)
    insert = "insert into public.training_configs (name, template_type, config_json) values"

    assert database.refusal(f"{insert} (null, null, null)") is None
    assert database.refusal(f"{insert} ('bot', 'lora', '{{}}')") is None
    assert database.refusal("update public.training_configs set name = name") is None
    assert database.refusal(f"{insert} ('', 'lora', '{{}}')") == "TV306"
    assert database.refusal("update public.training_configs set config_json = '[]'") == "TV306"
