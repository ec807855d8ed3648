"""Packages: every operation's use, by their owner."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from training_versions import NotFoundError, Package


def test_a_package_comes_back_as_it_was_created(ada: Any) -> None:
    package = ada.packages.create(
        "support-bot", template_type="lora_finetuning", config={"r": 8, "deep": [{"x": None}]}
    )

    assert package.name == "support-bot"
    assert package.template_type == "lora_finetuning"
    assert package.config_json == {"r": 8, "deep": [{"x": None}]}
    assert package.user_id == ada.id
    assert (
        package.version_count,
        package.latest_published_version,
        package.current_version_id,
    ) == (0, 0, None)
    assert package.created_at.utcoffset() is not None
    assert ada.packages.get(package.id) == package


def test_creating_a_package_is_one_request(ada: Any) -> None:
    ada.packages.create("support-bot", template_type="lora", config={})

    assert [request.url.path for request in ada.sent] == ["/rest/v1/rpc/create_training_package"]


def test_a_package_takes_the_identifier_that_is_given(ada: Any) -> None:
    mine = uuid4()

    package = ada.packages.create("support-bot", template_type="lora", config={}, package_id=mine)
    again = ada.packages.create(
        "support-bot", template_type="lora", config={}, package_id=str(mine)
    )

    assert package.id == mine
    assert again == package
    assert len(ada.packages.list().items) == 1


def test_a_user_may_name_themself_as_owner(ada: Any) -> None:
    package = ada.packages.create("bot", template_type="lora", config={}, user_id=ada.id)

    assert package.user_id == ada.id


def test_the_service_role_creates_a_package_for_somebody(ada: Any, admin: Any) -> None:
    made = admin.packages.create("bot", template_type="lora", config={}, user_id=str(ada.id))

    assert ada.packages.get(made.id) == made


def test_a_package_config_may_be_a_model_a_dataclass_or_an_object_with_to_dict(ada: Any) -> None:
    class Pydantic(BaseModel):
        r: int = 8

    @dataclasses.dataclass
    class Plain:
        r: int = 8

    class Peft:
        def to_dict(self) -> dict[str, Any]:
            return {"r": 8}

    for config in (Pydantic(), Plain(), Peft()):
        assert ada.packages.create("bot", template_type="lora", config=config).config_json == {
            "r": 8
        }


def test_an_update_changes_only_what_is_named(ada: Any, package: Package) -> None:
    renamed = ada.packages.update(package.id, name="support-bot-2")
    retyped = ada.packages.update(package.id, template_type="qlora")
    rebuilt = ada.packages.update(package.id, config={"r": 16})

    assert renamed == package.model_copy(update={"name": "support-bot-2"})
    assert retyped == renamed.model_copy(update={"template_type": "qlora"})
    assert rebuilt == retyped.model_copy(update={"config_json": {"r": 16}})
    assert ada.packages.get(package.id) == rebuilt


def test_an_update_may_change_everything_at_once_and_be_repeated(
    ada: Any, package: Package
) -> None:
    changes = {"name": "n", "template_type": "t", "config": {"c": 1}}

    once = ada.packages.update(package.id, **changes)
    twice = ada.packages.update(package.id, **changes)

    assert (once.name, once.template_type, once.config_json) == ("n", "t", {"c": 1})
    assert twice == once


def test_find_gives_none_where_get_refuses(ada: Any, bob: Any, package: Package) -> None:
    assert ada.packages.find(package.id) == package
    assert ada.packages.find(str(package.id)) == package
    assert ada.packages.find(uuid4()) is None
    assert bob.packages.find(package.id) is None
    with pytest.raises(NotFoundError):
        bob.packages.get(package.id)


def test_a_package_goes_with_its_drafts(ada: Any, package: Package, draft: Any) -> None:
    assert ada.packages.delete(package.id) is None

    assert ada.packages.find(package.id) is None
    assert ada.versions.find(draft.id) is None


def test_deleting_a_package_twice_has_the_effect_of_one(ada: Any, package: Package) -> None:
    ada.packages.delete(package.id)

    assert ada.packages.delete(package.id) is None


def test_the_service_role_deletes_a_package_with_history(
    admin: Any, ada: Any, package: Package, published: Any
) -> None:
    admin.packages.delete(package.id)

    assert ada.packages.find(package.id) is None
    assert ada.versions.find(published.id) is None


def test_a_list_holds_the_packages_of_the_caller_only(ada: Any, bob: Any) -> None:
    mine = {ada.packages.create(f"bot {n}", template_type="lora", config={}).id for n in range(3)}
    bob.packages.create("bot 0", template_type="lora", config={})

    page = ada.packages.list()

    assert {package.id for package in page.items} == mine
    assert page.next_cursor is None


def test_pages_of_packages_follow_each_other_without_gap_or_repeat(ada: Any) -> None:
    made = sorted(
        ada.packages.create(f"bot {n}", template_type="lora", config={}).id for n in range(5)
    )

    first = ada.packages.list(limit=2)
    second = ada.packages.list(limit=2, cursor=first.next_cursor)
    third = ada.packages.list(limit=2, cursor=second.next_cursor)

    assert [len(page.items) for page in (first, second, third)] == [2, 2, 1]
    assert [package.id for page in (first, second, third) for package in page.items] == made
    assert third.next_cursor is None
    for page_size in (1, 2, 5, 100):
        assert [package.id for package in ada.packages.iterate(page_size=page_size)] == made


def test_packages_are_found_by_type_and_by_text(ada: Any) -> None:
    def names(found: Any) -> set[str]:
        return {package.name for package in found}

    for name, kind in (("Support bot", "lora"), ("support desk", "qlora"), ("sales bot", "lora")):
        ada.packages.create(name, template_type=kind, config={})

    assert names(ada.packages.list(template_type="lora").items) == {"Support bot", "sales bot"}
    assert names(ada.packages.list(text="SUPPORT").items) == {"Support bot", "support desk"}
    assert names(ada.packages.list(text="bot", template_type="lora").items) == {
        "Support bot",
        "sales bot",
    }
    assert names(ada.packages.iterate(text="bot", template_type="qlora")) == set()
    assert names(ada.packages.list(text="", template_type=None).items) == {
        "Support bot",
        "support desk",
        "sales bot",
    }


def test_identifiers_may_be_text_in_any_case(ada: Any, package: Package) -> None:
    assert ada.packages.get(str(package.id).upper()) == package
    assert ada.packages.get(f"{{{package.id}}}").id == UUID(str(package.id))
