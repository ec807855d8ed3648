"""Lists, walks and counts: every filter alone and with every other, both orders, one package and all."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from training_versions import TrainingStatus, Version, VersionStatus, VersionSummary


@dataclass(frozen=True)
class Library:
    """Somebody's versions in two packages, whole and in the order in which they were made."""

    ada: Any
    package_id: Any
    versions: list[Version]

    def __getitem__(self, name: str) -> Version:
        return next(version for version in self.versions if version.name == name)


@pytest.fixture(scope="module")
def library(connect: Any, stack: Any, person: Any) -> Library:
    ada, bob = connect(person()), connect(person())
    package = ada.packages.create("one", template_type="lora", config={}).id
    other = ada.packages.create("two", template_type="lora", config={}).id
    made: dict[str, Any] = {}
    facts = ["set session_replication_role = replica;"]  # as they are, whatever way led there

    def add(name: str, **given: Any) -> None:
        package_id, parent = given.pop("package", package), given.pop("parent", None)
        details = {
            column: given.pop(column)
            for column in ("training_status", "deployment_target")
            if column in given
        }
        publish, archive = given.pop("publish", False), given.pop("archive", False)
        content = {
            "config": {"r": 8},
            "model": {"id": "llama"},
            "dataset": [{"id": "tickets"}],
            **given,
        }
        made[name] = ada.versions.create_draft(
            package_id, **content, name=name, parent_version_id=made[parent] if parent else None
        ).id
        if publish or archive:
            ada.versions.publish(made[name], name=name)
        if archive:
            ada.versions.archive(made[name])
        for column, value in details.items():
            facts.append(
                f"update public.training_package_versions set {column} = '{value}' where id = '{made[name]}';"
            )
        if "deployment_target" in details:
            facts.append(
                f"update public.training_package_versions set is_deployed = true where id = '{made[name]}';"
            )

    add("base", archive=True, training_status="completed")
    add(
        "wide",
        publish=True,
        parent="base",
        config={"r": 64, "nested": {"a": [1, 2], "b": {"c": None}}},
    )
    add("tall", publish=True, parent="base", training_status="failed", deployment_target="local")
    add(
        "tall 2",
        parent="tall",
        change_summary="Wide margins",
        dataset=[{"id": "tickets"}, {"id": "chats", "n": 5}],
    )
    add("mistral", model={"id": "mistral", "layers": 32}, training_status="running")
    add("empty", dataset=[], config={}, model={})
    add(
        "two wide",
        package=other,
        parent="wide",
        publish=True,
        deployment_target="hf_space",
        config={"r": 64},
    )
    add("two tall", package=other, dataset=[{"id": "chats", "n": 6}], training_status="pending")
    add("two drafts", package=other, change_summary="nothing new")
    theirs = bob.packages.create("one", template_type="lora", config={}).id
    bob.versions.create_draft(
        theirs, config={"r": 64}, model={"id": "mistral"}, dataset=[], name="wide"
    )
    stack.psql("\n".join(facts), admin=True)
    versions = [ada.versions.get(key) for key in made.values()]
    return Library(ada, package, versions)


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


Holds = Callable[[Library, Version], bool]

FILTERS: dict[str, tuple[Callable[[Library], dict[str, Any]], Holds]] = {
    "draft": (lambda _: {"status": "draft"}, lambda _, v: v.status == "draft"),
    "published": (
        lambda _: {"status": VersionStatus.PUBLISHED},
        lambda _, v: v.status == "published",
    ),
    "not draft": (
        lambda _: {"status": ["published", VersionStatus.ARCHIVED]},
        lambda _, v: v.status != "draft",
    ),
    "failed": (lambda _: {"training_status": "failed"}, lambda _, v: v.training_status == "failed"),
    "trained": (
        lambda _: {"training_status": (TrainingStatus.COMPLETED, TrainingStatus.RUNNING)},
        lambda _, v: v.training_status in ("completed", "running"),
    ),
    "deployed": (lambda _: {"deployed": True}, lambda _, v: v.is_deployed),
    "not deployed": (lambda _: {"deployed": False}, lambda _, v: not v.is_deployed),
    "parent": (
        lambda library: {"parent_version_id": library["base"].id},
        lambda library, v: v.parent_version_id == library["base"].id,
    ),
    "after": (
        lambda library: {"created_after": library["tall"].created_at},
        lambda library, v: v.created_at >= library["tall"].created_at,
    ),
    "before": (
        lambda library: {"created_before": library["two wide"].created_at},
        lambda library, v: v.created_at < library["two wide"].created_at,
    ),
    "text": (
        lambda _: {"text": "WIDE"},
        lambda _, v: "wide" in v.name.lower() or "wide" in (v.change_summary or "").lower(),
    ),
    "config": (
        lambda _: {"config_contains": {"r": 64}},
        lambda _, v: contains(v.config_snapshot, {"r": 64}),
    ),
    "nested config": (
        lambda _: {"config_contains": {"nested": {"a": [2], "b": {"c": None}}}},
        lambda _, v: contains(v.config_snapshot, {"nested": {"a": [2], "b": {"c": None}}}),
    ),
    "model": (
        lambda _: {"model_contains": {"id": "llama"}},
        lambda _, v: contains(v.model_snapshot, {"id": "llama"}),
    ),
    "dataset": (
        lambda _: {"dataset_contains": {"id": "chats"}},
        lambda _, v: contains(v.dataset_snapshot, [{"id": "chats"}]),
    ),
    "two data sets": (
        lambda _: {"dataset_contains": [{"n": 5}, {"id": "tickets"}]},
        lambda _, v: contains(v.dataset_snapshot, [{"n": 5}, {"id": "tickets"}]),
    ),
    "an empty object": (lambda _: {"config_contains": {}}, lambda _, v: True),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_lets_through_exactly_what_it_says(library: Library, name: str) -> None:
    make, holds = FILTERS[name]
    wanted = make(library)
    everywhere = [version for version in library.versions if holds(library, version)]
    here = [version for version in everywhere if version.package_id == library.package_id]
    versions, package_id = library.ada.versions, library.package_id

    assert len(everywhere) < len(library.versions) or name == "an empty object"
    assert versions.list(package_id, snapshots=True, **wanted).items == here[::-1]
    assert list(versions.iterate(package_id, order="oldest", snapshots=True, **wanted)) == here
    assert versions.count(package_id, **wanted) == len(here)
    assert versions.list(order="oldest", snapshots=True, **wanted).items == everywhere
    assert list(versions.iterate(page_size=3, snapshots=True, **wanted)) == everywhere[::-1]
    assert versions.count(**wanted) == len(everywhere)


def test_filters_together_let_through_what_all_of_them_do(library: Library, connect: Any) -> None:
    versions, found = library.ada.versions, 0

    pairs = list(itertools.combinations(FILTERS, 2))
    for first, second in pairs[connect.is_async :: 2]:  # half of them each
        wanted = FILTERS[first][0](library)
        if wanted.keys() & FILTERS[second][0](library).keys():
            continue  # one argument cannot be given twice
        wanted |= FILTERS[second][0](library)
        expected = [
            v
            for v in library.versions
            if FILTERS[first][1](library, v) and FILTERS[second][1](library, v)
        ]

        assert [v.name for v in versions.list(order="oldest", **wanted).items] == [
            v.name for v in expected
        ]
        found += bool(expected)

    assert found > 15


def test_all_filters_together_find_the_one(library: Library) -> None:
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


def test_filters_that_are_none_or_empty_text_do_not_filter(library: Library) -> None:
    nothing = dict.fromkeys(
        ("status", "training_status", "deployed", "parent_version_id", "created_after")
    )
    nothing |= dict.fromkeys(
        ("created_before", "config_contains", "model_contains", "dataset_contains")
    )

    assert library.ada.versions.count(**nothing, text="") == len(library.versions)
    assert library.ada.versions.count(text=None) == len(library.versions)


def test_a_moment_counts_in_any_time_zone(library: Library) -> None:
    from zoneinfo import ZoneInfo

    there = library["tall"].created_at.astimezone(ZoneInfo("America/St_Johns"))

    assert library.ada.versions.count(created_before=there) == 2
    assert library.ada.versions.count(created_after=there) == len(library.versions) - 2


def test_moments_at_the_ends_of_time_work(library: Library) -> None:
    from datetime import UTC

    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    assert library.ada.versions.count(created_after=first, created_before=last) == len(
        library.versions
    )
    assert library.ada.versions.count(created_before=first) == 0


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("everywhere", [False, True], ids=["one package", "all packages"])
@pytest.mark.parametrize("limit", [1, 2, 4, 6, 9, 100])
def test_pages_follow_each_other_without_gap_or_repeat(
    library: Library, order: str, everywhere: bool, limit: int
) -> None:
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


def test_pages_with_filters_follow_each_other(library: Library) -> None:
    wanted: dict[str, Any] = {"status": "draft", "text": "t", "dataset_contains": {"id": "tickets"}}

    first = library.ada.versions.list(limit=1, **wanted)
    second = library.ada.versions.list(limit=1, cursor=first.next_cursor, **wanted)

    assert [version.name for page in (first, second) for version in page.items] == [
        "two drafts",
        "mistral",
    ]


def test_the_default_is_newest_first(library: Library) -> None:
    assert library.ada.versions.list().items[0].name == "two drafts"
    assert next(iter(library.ada.versions.iterate(library.package_id))).name == "empty"


def test_an_empty_list_says_that_it_is_the_end(library: Library) -> None:
    page = library.ada.versions.list(text="there is no such thing")

    assert (page.items, page.next_cursor) == ([], None)
    assert list(library.ada.versions.iterate(text="there is no such thing")) == []


def test_a_summary_has_everything_but_snapshots(library: Library) -> None:
    page = library.ada.versions.list(library.package_id)
    walked = list(library.ada.versions.iterate(library.package_id))

    expected = [VersionSummary(**version.model_dump()) for version in library.versions[5::-1]]
    assert page.items == walked == expected
    for summary in page.items:
        assert type(summary) is VersionSummary
        assert not any("snapshot" in name for name in type(summary).model_fields)


def test_summaries_of_a_hundred_versions_are_kilobytes_on_the_wire(ada: Any, package: Any) -> None:
    versions = [
        ada.versions.create_draft(
            package.id,
            config={"blob": "x" * 200_000},
            model={"blob": "y" * 200_000},
            dataset=[{"blob": "z" * 200_000}],
        )
        for _ in range(5)
    ]
    ada.replies.clear()

    page = ada.versions.list(package.id)
    list(ada.versions.iterate(package.id))

    assert len(page.items) == 5
    assert sum(len(reply.content) for reply in ada.replies) < 5 * 2_500
    assert "snapshot" not in str(ada.sent[-1].url)
    assert ada.versions.list(package.id, snapshots=True, limit=1).items == versions[-1:]


def test_a_list_that_fits_is_one_request(library: Library) -> None:
    ada = library.ada
    ada.sent.clear()
    page = ada.versions.list(library.package_id, limit=3)

    assert page.next_cursor is not None
    assert len(ada.sent) == 1


def test_what_is_read_survives_pickle(library: Library) -> None:
    versions = library.ada.versions
    read = [
        versions.list(library.package_id, limit=2),
        versions.list(limit=2, snapshots=True),
        library.ada.packages.list(),
        versions.latest(library.package_id),
    ]

    assert pickle.loads(pickle.dumps(read)) == read
