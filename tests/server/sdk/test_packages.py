"""Packages, as the SDK gives them to their owner.

The database's own rules are in `tests/server/schema`.
"""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from tests.faces import both_faces
from training_versions import NotFoundError


def test_a_package_comes_back_as_it_was_created(ada):
    mine, config = uuid4(), {"r": 8, "deep": [{"x": None}]}

    package = ada.packages.create(
        "bot", template_type="lora", config=config, package_id=str(mine), user_id=ada.id
    )

    assert ada.paths == ["rpc/create_training_package"]
    assert (package.id, package.name, package.template_type) == (mine, "bot", "lora")
    assert (package.config_json, package.user_id) == (config, ada.id)
    assert (package.version_count, package.latest_published_version) == (0, 0)
    assert package.current_version_id is None
    assert package.created_at.utcoffset() is not None
    assert ada.packages.get(package.id) == package


class Pydantic(BaseModel):
    r: int = 8


@dataclasses.dataclass
class Plain:
    r: int = 8


class Peft:
    def to_dict(self) -> dict[str, Any]:
        return {"r": 8}


@pytest.mark.parametrize("config", [Pydantic(), Plain(), Peft()], ids=lambda c: type(c).__name__)
def test_a_config_may_be_a_model_a_dataclass_or_an_object_with_to_dict(ada, config):
    assert ada.package(config=config).config_json == {"r": 8}


CHANGES: dict[str, Any] = {"name": "n", "template_type": "t", "config": {"c": 1}}
EDITS = [*({name: value} for name, value in CHANGES.items()), CHANGES]


@pytest.mark.parametrize("changes", EDITS, ids=" ".join)
def test_an_update_changes_only_what_is_named(ada, package, changes):
    updated = ada.packages.update(package.id, **changes)

    columns = {
        {"config": "config_json"}.get(argument, argument): value
        for argument, value in changes.items()
    }
    assert updated == package.model_copy(update=columns)
    assert ada.packages.get(package.id) == updated


def test_find_gives_none_where_get_refuses(ada, bob, package):
    for spelling in (package.id, str(package.id).upper(), f"{{{package.id}}}"):
        assert ada.packages.find(spelling) == ada.packages.get(spelling) == package
    assert ada.packages.find(uuid4()) is None
    assert bob.packages.find(package.id) is None
    with pytest.raises(NotFoundError):
        bob.packages.get(package.id)


def test_a_package_goes_with_its_drafts(ada, package, draft):
    assert ada.packages.delete(package.id) is None

    assert ada.packages.find(package.id) is None
    assert ada.versions.find(draft.id) is None


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_hold_the_callers_packages_without_gap_or_repeat(ada, bob, sql, order):
    made = [ada.package(f"bot {n}").id for n in range(6)]
    bob.package("bot 0")
    # Two that were created at the same moment come in the order of their identifiers.
    tied = sorted(made[2:4])
    sql.past_triggers(
        "update public.training_configs set created_at = now() where id = any(%(tied)s)", tied=tied
    )
    made = [*made[:2], *made[4:], *tied]
    if order == "newest":
        made.reverse()

    pages = [ada.packages.list(limit=2, order=order)]
    while pages[-1].next_cursor is not None:
        pages.append(ada.packages.list(limit=2, order=order, cursor=pages[-1].next_cursor))

    assert [len(page) for page in pages] == [2, 2, 2]
    assert [package.id for page in pages for package in page] == made
    for page_size in (1, 2, 5, 100):
        walked = ada.packages.iterate(page_size=page_size, order=order)
        assert [package.id for package in walked] == made


def test_the_newest_package_comes_first_unless_said_otherwise(ada):
    first, second = ada.package("a"), ada.package("b")

    assert list(ada.packages.list()) == list(ada.packages.iterate()) == [second, first]


def test_packages_are_found_by_their_ids(ada, bob):
    first, _, third, of_bob = ada.package("a"), ada.package("b"), ada.package("c"), bob.package()

    assert list(ada.packages.list(ids=[first.id, str(third.id), of_bob.id])) == [third, first]
    assert list(ada.packages.iterate(ids=[])) == []


@both_faces
def test_a_program_finds_its_package_again(ada):
    given: dict[str, Any] = {"template_type": "lora", "config": {"r": 8}}

    assert ada.packages.find_by_name("bot") is None
    made = ada.packages.get_or_create("bot", **given)
    again = ada.packages.get_or_create("bot", template_type="dpo", config={})

    assert (made.name, made.template_type, made.config_json) == ("bot", "lora", {"r": 8})
    assert again == ada.packages.find_by_name("bot") == made
    assert len(ada.sent) == 4
    assert list(ada.packages.list()) == [made]


NAMES = ["Support bot", "support bot", "support", "a,b", 'a "b"', "(a)", "a%", "50*", "\\", "é🚀"]


def test_a_name_is_found_as_it_is_written(ada):
    made = {name: ada.packages.get_or_create(name, template_type="t", config={}) for name in NAMES}

    assert len({package.id for package in made.values()}) == len(NAMES)
    for name in NAMES:
        assert ada.packages.find_by_name(name) == made[name]
        assert ada.packages.list(name=name).items == [made[name]]
    assert ada.packages.find_by_name("support%") is None


def test_of_packages_with_one_name_the_oldest_is_found(ada):
    first = ada.package("bot")
    ada.package("bot")

    assert ada.packages.find_by_name("bot") == first
    assert ada.packages.get_or_create("bot", template_type="t", config={}) == first


def test_a_package_of_somebody_else_with_that_name_is_not_found(ada, bob, admin):
    theirs = bob.package("bot")

    assert ada.packages.find_by_name("bot") is None
    mine = ada.packages.get_or_create("bot", template_type="t", config={})
    assert mine.user_id == ada.id
    for who in (ada, bob):
        found = admin.packages.find_by_name("bot", user_id=who.id)
        again = admin.packages.get_or_create("bot", template_type="t", config={}, user_id=who.id)
        assert found == again
        assert found in (mine, theirs)
        assert found.user_id == who.id


def test_the_service_role_says_whose_package_it_creates(admin, ada, bob, refused):
    given: dict[str, Any] = {"template_type": "t", "config": {}}

    refused("TV306", admin.packages.get_or_create, "bot", **given)
    refused("42501", ada.packages.get_or_create, "bot", **given, user_id=bob.id)

    assert list(bob.packages.list()) == []


def test_two_at_once_create_one_package(ada, connect, at_once):
    callers = [connect(ada) for _ in range(8)]

    made = at_once(
        [
            lambda each=each: each.packages.get_or_create("bot", template_type="t", config={})
            for each in callers
        ]
    )

    assert {package.id for package in made} == {package.id for package in ada.packages.list()}
    assert len(ada.packages.list()) == 1


FOUND: list[tuple[dict[str, Any], set[str]]] = [
    ({"template_type": "lora"}, {"Support bot", "sales bot"}),
    ({"text": "SUPPORT"}, {"Support bot", "support desk"}),
    ({"text": "bot", "template_type": "lora"}, {"Support bot", "sales bot"}),
    ({"text": "bot", "template_type": "qlora"}, set()),
    ({"text": "", "template_type": None}, {"Support bot", "support desk", "sales bot"}),
]


def test_packages_are_found_by_type_and_by_text(ada):
    for name, kind in (("Support bot", "lora"), ("support desk", "qlora"), ("sales bot", "lora")):
        ada.package(name, template_type=kind)

    for filters, names in FOUND:
        assert {package.name for package in ada.packages.list(**filters).items} == names
        assert {package.name for package in ada.packages.iterate(**filters)} == names
