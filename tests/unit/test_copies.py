"""Comparison, copies and lineage: what is asked for, and what comes of the replies."""

import pickle
import sys
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from tests.data import MOMENT, SUMMARY
from training_versions import (
    Lineage,
    NotFoundError,
    UnreadableReplyError,
    Version,
    VersionSummary,
)
from training_versions.operations.requests import Reply

from .scripted import (
    OTHER,
    PACKAGE,
    VERSION,
    VERSIONS,
    Rank,
    conditions_of,
    request_of,
    result_of,
    row,
    versions,
    where_of,
)

TYPED = versions(config=Rank, dataset=list[Rank])


def loaded(number: int, **columns: Any) -> Version:
    return Version.model_validate(row(number, **columns))


def is_read(*version_ids: UUID) -> tuple[Any, ...]:
    return (("id", "in", f"({','.join(map(str, version_ids))})"),)


def test_two_loaded_versions_are_compared_without_a_request() -> None:
    compared = VERSIONS.compare(
        loaded(7, config_snapshot={"r": 8}), loaded(8, config_snapshot={"r": 16})
    )

    with pytest.raises(StopIteration) as finished:
        next(compared)

    content = finished.value.value.filter("/config_snapshot")
    assert [change.path for change in content] == ["/config_snapshot/r"]


@pytest.mark.parametrize(
    ("left", "right", "read"),
    [
        (VERSION, OTHER, (VERSION, OTHER)),
        (loaded(7), str(OTHER), (OTHER,)),
        (loaded(7), VersionSummary.model_validate(row(8)), (OTHER,)),
        (VERSION, str(VERSION).upper(), (VERSION,)),
    ],
)
def test_only_what_is_not_loaded_is_read_in_one_request(
    left: Any, right: Any, read: tuple[UUID, ...]
) -> None:
    assert where_of(VERSIONS.compare(left, right)) == is_read(*read)


def test_a_version_as_it_was_is_compared_with_the_same_one_as_it_is() -> None:
    diff = result_of(VERSIONS.compare(loaded(7, config_snapshot={"r": 1}), VERSION), [row(7)])

    assert [change.new for change in diff.filter("/config_snapshot")] == [7]


def test_what_is_stored_is_compared_and_not_what_the_types_make_of_it() -> None:
    rows = [
        row(7, name="same", config_snapshot={"r": 8, "unknown": 1}),
        row(8, name="same", config_snapshot={"r": "no longer a number", "extra": 5}),
    ]

    diff = result_of(TYPED.compare(VERSION, OTHER), rows)

    assert [(change.kind, change.path) for change in diff] == [
        ("changed", "/config_snapshot/r"),
        ("removed", "/config_snapshot/unknown"),
        ("added", "/config_snapshot/extra"),
    ]


@pytest.mark.parametrize(
    "typed",
    [
        {"config_snapshot": Rank(r=8)},
        {"dataset_snapshot": [Rank(r=8)]},
        {"model_snapshot": {"at": Rank(r=8)}},
    ],
    ids=["config", "dataset", "nested"],
)
@pytest.mark.parametrize("repository", [TYPED, VERSIONS], ids=["typed", "plain"])
def test_a_loaded_version_with_types_is_read_again(repository: Any, typed: Any) -> None:
    version = loaded(7, **typed)

    assert where_of(repository.compare(version, OTHER)) == is_read(VERSION, OTHER)
    # A repository with types cannot tell whether another version is as it is stored.
    read = is_read(VERSION) if repository is VERSIONS else is_read(OTHER, VERSION)
    assert where_of(repository.compare(loaded(8), version)) == read


class KnownKeys(TypedDict):
    r: int


def test_a_loaded_version_is_read_again_if_its_type_reads_plain_dictionaries() -> None:
    repository = versions(config=KnownKeys)
    version = loaded(7, config_snapshot={"r": 8})  # of what is stored, its type dropped a key

    diff = result_of(
        repository.compare(version, OTHER),
        [row(7, config_snapshot={"r": 8, "x": 1}), row(8, config_snapshot={"r": 8})],
    )

    assert [change.path for change in diff.filter("/config_snapshot")] == ["/config_snapshot/x"]


def test_a_version_is_equal_to_itself_whatever_its_types_make_of_it() -> None:
    version = loaded(7, config_snapshot=Rank(r=8))

    for left, right in (
        (version, version),
        (VERSION, version),
        (version, VERSION),
        (VERSION, VERSION),
    ):
        assert not result_of(TYPED.compare(left, right), [row(7, config_snapshot={"r": 8})])


@pytest.mark.parametrize(("there", "missing"), [(7, OTHER), (8, VERSION)])
def test_a_version_that_is_not_there_is_asked_for_again_and_named(
    there: int, missing: UUID
) -> None:
    compared = VERSIONS.compare(VERSION, OTHER)
    next(compared)

    again = compared.send(Reply([row(there)]))  # a server may cap replies at one row

    assert conditions_of(again) == is_read(missing)
    with pytest.raises(NotFoundError, match=f"There is no version {missing}, or you may not"):
        compared.send(Reply([]))


class Lora(BaseModel):
    r: int


def copied_row(config_snapshot: object = None, **changed: Any) -> dict[str, Any]:
    return {SUMMARY: row(1, **changed), "config_snapshot": config_snapshot}


def test_only_snapshots_that_have_a_type_travel_back_from_a_copy() -> None:
    typed = versions(config=Lora)

    plain = request_of(VERSIONS.restore(VERSION))
    checked = request_of(typed.restore(VERSION))
    copied = result_of(typed.restore(VERSION), copied_row(config_snapshot={"rank": 8}))

    assert plain.columns == (SUMMARY,)
    assert checked.columns == (SUMMARY, "config_snapshot")
    assert result_of(VERSIONS.restore(VERSION), copied_row()).fits
    assert not copied
    assert [(misfit.path, misfit.problem) for misfit in copied.misfits] == [
        ("/config_snapshot/r", "missing"),
        ("/config_snapshot/rank", "unknown"),
    ]
    with pytest.raises(UnreadableReplyError, match="was carried out, but its reply"):
        result_of(typed.restore(VERSION), copied_row(id=None, config_snapshot={}))


def family_of(*parents: int | None) -> list[dict[str, Any]]:
    """Make versions 1, 2, …, each with the parent given."""
    rows: list[dict[str, Any]] = []
    for number, parent in enumerate(parents, 1):
        row = {
            "id": str(UUID(int=number)),
            "package_id": str(PACKAGE),
            "version_number": number,
            "name": f"bot-v{number}",
            "status": "published",
            "created_at": MOMENT,
            "change_summary": None,
            "parent_version_id": None,
            "new": 1,
        }
        if parent is not None:
            row["parent_version_id"] = str(UUID(int=parent))
        rows.append(row)
    return rows


def lineage_of(number: int, rows: object) -> Lineage:
    return result_of(VERSIONS.lineage(UUID(int=number)), rows)


def test_a_lineage_has_ancestors_descendants_and_the_whole_tree() -> None:
    lineage = lineage_of(3, family_of(None, 1, 2, 3, 1, 3, 4))

    assert lineage.version.version_number == 3
    assert [node.version_number for node in lineage.ancestors] == [2, 1]
    assert [node.version_number for node in lineage.descendants] == [4, 6, 7]
    assert [node.version_number for node in lineage.root.children] == [2, 5]
    assert [node.version_number for node in lineage.root.walk()] == [1, 2, 3, 4, 7, 6, 5]


def test_a_lineage_prints_as_a_tree_with_the_longest_line_straight() -> None:
    assert str(lineage_of(3, family_of(None, 1, 2, 3, 1, 3, 5))).splitlines() == [
        "  bot-v1 (published)",
        "    bot-v5 (published)",
        "    bot-v7 (published)",
        "  bot-v2 (published)",
        "* bot-v3 (published)",
        "    bot-v6 (published)",
        "  bot-v4 (published)",
    ]


def test_the_outline_of_a_lineage_is_what_prints() -> None:
    outline = list(lineage_of(3, family_of(None, 1, 2, 1)).outline())

    assert [(indent, node.version_number) for indent, node in outline] == [
        (0, 1),
        (1, 4),
        (0, 2),
        (0, 3),
    ]


def test_a_parent_that_cannot_be_seen_ends_the_line() -> None:
    lineage = lineage_of(2, family_of(99, 1))

    assert lineage.root.version_number == 1
    assert lineage.root.parent_version_id == UUID(int=99)


@pytest.mark.parametrize(
    "rows", [[], family_of(None), family_of(2, 1), family_of(None, 2), {}, None, "x", [3], [{}]]
)
def test_a_lineage_without_the_version_or_without_an_end_is_unreadable(rows: object) -> None:
    with pytest.raises(UnreadableReplyError):
        lineage_of(2, rows)


def test_a_family_of_ten_thousand_generations_is_read_walked_printed_pickled_and_compared() -> None:
    rows = family_of(None, *range(1, 10_000))
    assert sys.getrecursionlimit() < 10_000

    lineage = lineage_of(10_000, rows)

    assert len(lineage.ancestors) == 9_999
    assert lineage.ancestors[0].version_number == 9_999
    assert sum(1 for _ in lineage.root.walk()) == 10_000
    assert len(str(lineage).splitlines()) == 10_000
    assert repr(lineage) == "<Lineage of version 10000: 9999 above, 0 below>"
    copy = pickle.loads(pickle.dumps(lineage))
    assert copy == lineage
    assert hash(copy.root) == hash(lineage.root)
    assert copy.root.children[0].children[0].version_number == 3
    assert lineage.model_dump()["root"]["version_number"] == 1
