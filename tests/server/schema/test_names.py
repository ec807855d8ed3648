"""Rule 2: a draft without a name is given one, and publishing takes the draft part off a name."""

import re
from datetime import UTC, datetime

import pytest

# A given name, and the name after publishing.
PUBLISHED_NAMES = {
    "my-package-v1-draft-20250131": "my-package-v1",
    "gold": "gold",
    "-draft-20250131": "-draft-20250131",  # nothing else is left
}
NO_NAMES = {"empty": "", "blank": "  \n ", "too long": "x" * 256}

refused_names = pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)


def test_a_draft_without_a_name_is_called_after_its_package_number_and_day(ada):
    package = ada.package(name="support-bot")
    ada.draft(package)
    before = datetime.now(UTC)

    draft = ada.draft(package)

    days = {before, datetime.now(UTC)}
    assert draft["name"] in {f"support-bot-v2-draft-{day:%Y%m%d}" for day in days}


def test_publishing_takes_the_draft_part_off(ada):
    package = ada.package(name="support-bot")

    assert ada.publish(ada.draft(package)).row["name"] == "support-bot-v1"


def test_publishing_by_patch_takes_the_draft_part_off_too(ada):
    package = ada.package(name="support-bot")

    assert ada.patch(ada.draft(package), status="published").row["name"] == "support-bot-v1"


@pytest.mark.parametrize("given", PUBLISHED_NAMES)
def test_publishing_takes_only_a_draft_part_off_a_given_name(ada, given):
    draft = ada.draft(ada.package(), name=given)

    assert ada.patch(draft, status="published").row["name"] == PUBLISHED_NAMES[given]


@pytest.mark.parametrize("given", ["gold", "bot-v1-draft-20250131"])
def test_a_name_given_while_publishing_is_the_name(ada, given):
    draft = ada.draft(ada.package(), name="bot-v1-draft-20250131")

    assert ada.publish(draft, name=given).row["name"] == given


def test_a_name_given_while_publishing_keeps_no_later_name_of_the_transaction(ada, database):
    package = ada.package(name="support-bot")
    first, second = ada.draft(package), ada.draft(package)

    with database.session(user=ada.id) as session, session.transaction():
        session.execute(
            "select public.publish_training_version(%s, 'bot-v1-draft-20250131')", [first["id"]]
        )
        session.execute(
            "update public.training_package_versions set status = 'published' where id = %s",
            [second["id"]],
        )

    assert ada.see(first)["name"] == "bot-v1-draft-20250131"
    assert ada.see(second)["name"] == "support-bot-v2"


def test_a_name_given_while_publishing_by_patch_is_the_name(ada):
    draft = ada.draft(ada.package())

    assert ada.patch(draft, status="published", name="my-package-v1").row["name"] == "my-package-v1"


def test_the_longest_package_name_still_gives_a_name_that_fits(ada):
    draft = ada.draft(ada.package(name="x" * 255))

    assert re.fullmatch(r"x+-v1-draft-\d{8}", draft["name"])
    assert len(draft["name"]) <= 255


@refused_names
def test_a_blank_or_too_long_name_is_refused(ada, name):
    answer = ada.try_draft(ada.package(), name=name)

    assert (answer.code, answer.detail["field"]) == ("TV306", "name")


@refused_names
def test_a_blank_or_too_long_name_is_refused_while_publishing_too(ada, name):
    draft = ada.draft(ada.package())

    answer = ada.publish(draft, name=name)

    assert answer.code == "TV306"
    assert ada.see(draft) == draft
