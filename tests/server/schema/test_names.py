"""Rule 2: a draft that is given no name gets one, and publishing takes the part off that says it is a draft."""

import re
from datetime import UTC, datetime

import pytest


def test_a_draft_without_a_name_is_called_after_its_package_number_and_day(ada):
    package = ada.package(name="support-bot")
    ada.draft(package)
    day = {datetime.now(UTC)}

    draft = ada.draft(package)

    day.add(datetime.now(UTC))
    assert draft["name"] in {f"support-bot-v2-draft-{moment:%Y%m%d}" for moment in day}


def test_publishing_takes_the_draft_part_off(ada):
    package = ada.package(name="support-bot")

    version = ada.rpc("publish_training_version", version_id=ada.draft(package)["id"]).row

    assert version["name"] == "support-bot-v1"


def test_publishing_by_patch_takes_the_draft_part_off_too(ada):
    assert ada.published(ada.package(name="support-bot"))["name"] == "support-bot-v1"


def test_publishing_takes_the_draft_part_off_a_name_given_by_hand(ada):
    version = ada.published(ada.package(), name="my-package-v1-draft-20250131")

    assert version["name"] == "my-package-v1"


def test_publishing_leaves_a_name_without_draft_part_alone(ada):
    assert ada.published(ada.package(), name="gold")["name"] == "gold"


@pytest.mark.parametrize("given", ["gold", "bot-v1-draft-20250131"])
def test_a_name_given_while_publishing_is_the_name(ada, given):
    draft = ada.draft(ada.package(), name="bot-v1-draft-20250131")

    version = ada.rpc("publish_training_version", version_id=draft["id"], name=given).row

    assert version["name"] == given


def test_a_name_given_while_publishing_by_patch_is_the_name(ada):
    draft = ada.draft(ada.package())

    assert ada.edit(draft, status="published", name="my-package-v1").row["name"] == "my-package-v1"


def test_the_longest_package_name_still_gives_a_name_that_fits(ada):
    draft = ada.draft(ada.package(name="x" * 255))

    assert re.fullmatch(r"x+-v1-draft-\d{8}", draft["name"])
    assert len(draft["name"]) <= 255


@pytest.mark.parametrize("name", ["", "  \n ", "x" * 256])
def test_a_name_that_is_blank_or_too_long_is_refused(ada, name):
    answer = ada.try_draft(ada.package(), name=name)

    assert (answer.code, answer.detail["field"]) == ("TV306", "name")


@pytest.mark.parametrize("name", ["", "  \n ", "x" * 256])
def test_a_blank_or_too_long_name_is_refused_while_publishing_too(ada, name):
    draft = ada.draft(ada.package())

    answer = ada.rpc("publish_training_version", version_id=draft["id"], name=name)

    assert answer.code == "TV306"
    assert ada.see(draft) == draft
