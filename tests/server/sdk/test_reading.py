"""Lists, walks and counts: each filter alone and with others, both orders, one package, all."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.data import EMPTY
from training_versions import TrainingStatus, Version, VersionFilters, VersionStatus, VersionSummary


@dataclass(frozen=True)
class Library:
    """Somebody's versions in two packages, whole and in the order in which they were made."""

    ada: Any
    package_id: Any
    versions: list[Version]

    def __getitem__(self, name: str) -> Version:
        return next(version for version in self.versions if version.name == name)


# Each version, and how it differs from a draft with the usual content.
# What is in `columns` is set past all rules.
MADE: dict[str, dict[str, Any]] = {
    "base": {"status": "archived", "columns": {"training_status": "completed"}},
    "wide": {
        "status": "published",
        "parent": "base",
        "config": {"r": 64, "nested": {"a": [1, 2], "b": {"c": None}}},
    },
    "tall": {
        "status": "published",
        "parent": "base",
        "columns": {"training_status": "failed", "deployment_target": "local", "is_deployed": True},
    },
    "tall 2": {
        "parent": "tall",
        "change_summary": "Wide margins",
        "dataset": [{"id": "tickets"}, {"id": "chats", "n": 5}],
    },
    "mistral": {
        "model": {"id": "mistral", "layers": 32},
        "columns": {"training_status": "running"},
    },
    "empty": EMPTY,
    "two wide": {
        "status": "published",
        "parent": "wide",
        "config": {"r": 64},
        "columns": {"deployment_target": "hf_space", "is_deployed": True},
    },
    "two tall": {"dataset": [{"id": "chats", "n": 6}], "columns": {"training_status": "pending"}},
    "two drafts": {"change_summary": "nothing new"},
}
USUAL: dict[str, Any] = {
    "config": {"r": 8},
    "model": {"id": "llama"},
    "dataset": [{"id": "tickets"}],
}


@pytest.fixture(scope="module")
def library(connect, sql, person):
    ada, bob = connect(person()), connect(person())
    one, two = ada.package("one").id, ada.package("two").id
    made: dict[str, Any] = {}
    for name, given in MADE.items():
        content = USUAL | given
        status, parent = content.pop("status", "draft"), content.pop("parent", None)
        columns = content.pop("columns", {})
        package_id = two if name.startswith("two ") else one
        draft = ada.draft(package_id, **content, name=name, parent_version_id=made.get(parent))
        made[name] = draft.id
        if status != "draft":
            ada.versions.publish(draft.id, name=name)
        if status == "archived":
            ada.versions.archive(draft.id)
        if columns:
            sql.change(draft.id, **columns)
    bob.draft(bob.package("one"), config={"r": 64}, model={"id": "mistral"}, name="wide")
    return Library(ada, one, [ada.versions.get(key) for key in made.values()])


def contains(whole: Any, part: Any) -> bool:
    """What PostgreSQL's `@>` says."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(
            any(contains(item, value) for item in whole) for value in part
        )
    return type(whole) is type(part) and whole == part


@dataclass(frozen=True)
class Filter:
    """Arguments of a list, and which versions they let through."""

    wanted: Callable[[Library], dict[str, Any]]
    holds: Callable[[Library, Version], bool]


def containing(column: str, part: Any, argument: Any = None) -> Filter:
    given = part if argument is None else argument
    return Filter(
        lambda _: {f"{column}_contains": given},
        lambda _, version: contains(getattr(version, f"{column}_snapshot"), part),
    )


def among(column: str, given: Any, *values: str) -> Filter:
    return Filter(lambda _: {column: given}, lambda _, version: getattr(version, column) in values)


def mentions_wide(_: Library, version: Version) -> bool:
    return "wide" in f"{version.name} {version.change_summary}".lower()


NESTED = {"nested": {"a": [2], "b": {"c": None}}}
FILTERS: dict[str, Filter] = {
    "draft": among("status", "draft", "draft"),
    "published": among("status", VersionStatus.PUBLISHED, "published"),
    "not draft": among("status", ["published", VersionStatus.ARCHIVED], "published", "archived"),
    "failed": among("training_status", "failed", "failed"),
    "trained": among(
        "training_status",
        (TrainingStatus.COMPLETED, TrainingStatus.RUNNING),
        "completed",
        "running",
    ),
    "deployed": Filter(lambda _: {"deployed": True}, lambda _, v: v.is_deployed),
    "not deployed": Filter(lambda _: {"deployed": False}, lambda _, v: not v.is_deployed),
    "parent": Filter(
        lambda library: {"parent_version_id": library["base"].id},
        lambda library, v: v.parent_version_id == library["base"].id,
    ),
    "after": Filter(
        lambda library: {"created_after": library["tall"].created_at},
        lambda library, v: v.created_at >= library["tall"].created_at,
    ),
    "before": Filter(
        lambda library: {"created_before": library["two wide"].created_at},
        lambda library, v: v.created_at < library["two wide"].created_at,
    ),
    "ids": Filter(
        lambda library: {"ids": [library["tall"].id, str(library["base"].id)]},
        lambda library, v: v.id in (library["tall"].id, library["base"].id),
    ),
    "no ids": Filter(lambda _: {"ids": []}, lambda _, v: False),
    "below": Filter(lambda _: {"number_below": 3}, lambda _, v: v.version_number < 3),
    "above": Filter(lambda _: {"number_above": 2}, lambda _, v: v.version_number > 2),
    "text": Filter(lambda _: {"text": "WIDE"}, mentions_wide),
    "config": containing("config", {"r": 64}),
    "nested config": containing("config", NESTED),
    "model": containing("model", {"id": "llama"}),
    "dataset": containing("dataset", [{"id": "chats"}], {"id": "chats"}),
    "two data sets": containing("dataset", [{"n": 5}, {"id": "tickets"}]),
    "an empty object": containing("config", {}),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_lets_through_exactly_what_it_says(library, name):
    wanted = FILTERS[name].wanted(library)
    everywhere = [v for v in library.versions if FILTERS[name].holds(library, v)]
    here = [version for version in everywhere if version.package_id == library.package_id]
    versions, package_id = library.ada.versions, library.package_id

    assert len(everywhere) < len(library.versions) or name == "an empty object"
    assert versions.list(package_id, snapshots=True, **wanted).items == here[::-1]
    assert list(versions.iterate(package_id, order="oldest", snapshots=True, **wanted)) == here
    assert versions.count(package_id, **wanted) == len(here)
    assert versions.list(order="oldest", snapshots=True, **wanted).items == everywhere
    assert list(versions.iterate(page_size=3, snapshots=True, **wanted)) == everywhere[::-1]
    assert versions.count(**wanted) == len(everywhere)


def test_filters_together_let_through_what_all_of_them_do(library):
    found = 0
    for first, second in itertools.combinations(FILTERS.values(), 2):
        wanted, more = first.wanted(library), second.wanted(library)
        if wanted.keys() & more.keys():
            continue  # one argument cannot be given twice
        expected = [
            v.name for v in library.versions if first.holds(library, v) and second.holds(library, v)
        ]

        items = library.ada.versions.list(order="oldest", **wanted, **more).items

        assert [version.name for version in items] == expected
        found += bool(expected)

    assert found > 30


def test_all_filters_together_find_the_one(library):
    one = library["tall"]

    found = library.ada.versions.list(
        library.package_id,
        status="published",
        training_status="failed",
        deployed=True,
        parent_version_id=str(library["base"].id),
        created_after=one.created_at,
        created_before=one.created_at + timedelta(microseconds=1),
        text="all",
        config_contains={"r": 8},
        model_contains={"id": "llama"},
        dataset_contains={"id": "tickets"},
        snapshots=True,
    )

    assert found.items == [one]
    assert found.next_cursor is None


def test_filters_that_are_none_or_empty_text_do_not_filter(library):
    nothing = dict.fromkeys(VersionFilters.__annotations__)

    assert library.ada.versions.count(**nothing) == len(library.versions)
    assert library.ada.versions.count(**nothing | {"text": ""}) == len(library.versions)


def test_a_moment_counts_in_any_time_zone(library):
    there = library["tall"].created_at.astimezone(ZoneInfo("America/St_Johns"))

    assert library.ada.versions.count(created_before=there) == 2
    assert library.ada.versions.count(created_after=there) == len(library.versions) - 2


def test_moments_at_the_ends_of_time_work(library):
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    assert library.ada.versions.count(created_after=first, created_before=last) == len(
        library.versions
    )
    assert library.ada.versions.count(created_before=first) == 0


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("everywhere", [False, True], ids=["one package", "all packages"])
@pytest.mark.parametrize("limit", [1, 2, 4, 6, 9, 100])
def test_pages_follow_each_other_without_gap_or_repeat(library, order, everywhere, limit):
    package_id = None if everywhere else library.package_id
    expected = [
        version.id
        for version in library.versions
        if everywhere or version.package_id == library.package_id
    ]
    expected = expected[::-1] if order == "newest" else expected

    pages = [library.ada.versions.list(package_id, order=order, limit=limit)]
    while pages[-1].next_cursor is not None:
        pages.append(
            library.ada.versions.list(
                package_id, order=order, limit=limit, cursor=pages[-1].next_cursor
            )
        )

    assert [version.id for page in pages for version in page.items] == expected
    assert [len(page.items) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1].items
    assert [
        v.id for v in library.ada.versions.iterate(package_id, order=order, page_size=limit)
    ] == expected


def test_pages_with_filters_follow_each_other(library):
    wanted: dict[str, Any] = {"status": "draft", "text": "t", "dataset_contains": {"id": "tickets"}}

    first = library.ada.versions.list(limit=1, **wanted)
    second = library.ada.versions.list(limit=1, cursor=first.next_cursor, **wanted)

    assert [version.name for page in (first, second) for version in page.items] == [
        "two drafts",
        "mistral",
    ]


def test_the_default_is_newest_first(library):
    assert library.ada.versions.list().items[0].name == "two drafts"
    assert next(iter(library.ada.versions.iterate(library.package_id))).name == "empty"


def test_an_empty_list_says_that_it_is_the_end(library):
    page = library.ada.versions.list(text="there is no such thing")

    assert (page.items, page.next_cursor) == ([], None)
    assert list(library.ada.versions.iterate(text="there is no such thing")) == []


def test_a_summary_has_everything_but_snapshots(library):
    page = library.ada.versions.list(library.package_id)
    walked = list(library.ada.versions.iterate(library.package_id))

    expected = [VersionSummary(**version.model_dump()) for version in library.versions[5::-1]]
    assert page.items == walked == expected
    for summary in page.items:
        assert type(summary) is VersionSummary
        assert not any("snapshot" in name for name in type(summary).model_fields)


def test_summaries_of_a_hundred_versions_are_kilobytes_on_the_wire(ada, package):
    heavy = {"blob": "x" * 200_000}
    for _ in range(5):
        newest = ada.draft(package, config=heavy, model=heavy, dataset=[heavy])
    ada.replies.clear()

    page = ada.versions.list(package.id)
    list(ada.versions.iterate(package.id))

    assert len(page.items) == 5
    summaries = [reply for reply in ada.replies if "summaries" in str(reply.url)]
    assert 0 < sum(len(reply.content) for reply in summaries) < 5 * 2_500
    # Beside them there is at most the measure of the server's cap, once.
    assert sum(len(reply.content) for reply in ada.replies) < 30_000
    assert ada.versions.list(package.id, snapshots=True, limit=1).items == [newest]


SIZES = [1_000, 1_000_000, 2**31, 2**63, 10**30]


@pytest.mark.parametrize("size", SIZES)
def test_a_page_size_above_every_cap_works(ada, draft, size):
    assert [version.id for version in ada.versions.list(limit=size).items] == [draft.id]
    assert [version.id for version in ada.versions.iterate(page_size=size)] == [draft.id]
    assert len(ada.packages.list(limit=size).items) == 1
    assert len(list(ada.packages.iterate(page_size=size))) == 1


def test_a_cursor_goes_with_another_page_size_and_with_snapshots(library):
    versions, package_id = library.ada.versions, library.package_id
    cursor = versions.list(package_id, limit=1).next_cursor

    rest = versions.list(package_id, limit=50, snapshots=True, cursor=cursor)

    assert [version.version_number for version in rest.items] == [5, 4, 3, 2, 1]


def test_what_is_read_survives_pickle(library):
    versions = library.ada.versions
    read = [
        versions.list(library.package_id, limit=2),
        versions.list(limit=2, snapshots=True),
        library.ada.packages.list(),
        versions.latest(library.package_id),
    ]

    assert pickle.loads(pickle.dumps(read)) == read
