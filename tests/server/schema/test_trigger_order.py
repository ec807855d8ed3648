"""Triggers fire in the order of their names, which the head of the version rules explains."""

import re

import pytest

VERSIONS = "training_package_versions"


@pytest.fixture(scope="module")
def explained(migrations):
    """The names, or their numbered beginnings, in the comment at the head of the file."""
    (rules,) = (file for file in migrations if file.name.endswith("_version_rules.sql"))
    head = rules.read_text(encoding="utf-8").split("\n\n")[0]
    return set(re.findall(r"^--   ([a-z]+_[a-z0-9_]+)", head, re.MULTILINE))


def test_every_trigger_has_its_place_in_the_explanation(database, explained):
    found = database.rows(f"""
        select tgname from pg_trigger
        where tgrelid = 'public.{VERSIONS}'::regclass and not tgisinternal
    """)
    numbered = r"((?:rule|record)_\d\d).*"

    assert {re.sub(numbered, r"\1", row["tgname"]) for row in found} == explained


def test_a_stranger_learns_nothing_of_what_else_is_wrong(ada, bo):
    wrong = {"status": "published", "version_number": 1, "name": "", "training_status": "completed"}

    answer = bo.try_draft(ada.package(), **wrong)

    assert answer.code == "42501"
    assert "version" not in answer.body["message"]


def test_a_refused_training_status_names_the_number_that_the_version_would_have(ada):
    answer = ada.try_draft(ada.package(), training_status="unheard of")

    assert answer.code == "TV205"
    assert "version 1 " in answer.body["message"]
