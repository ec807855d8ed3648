"""What callers hold: pages are sequences, reprs are short, and a wrong name is explained."""

import copy
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, cast

import pytest
from pydantic import BaseModel, RootModel
from typing_extensions import TypedDict

from tests.data import (
    MOMENT,
    PACKAGE,
    cost_row,
    event_row,
    lineage_row,
    overview_row,
    package_row,
    run_row,
    version_row,
)
from training_versions import (
    CopiedDraft,
    CostEntry,
    Deployment,
    Event,
    InvalidInputError,
    Lineage,
    LineageNode,
    Misfit,
    Package,
    PackageOverview,
    Page,
    RecordedCost,
    RecordedMetrics,
    TrainingRun,
    Version,
    VersionSummary,
    models,
)
from training_versions.operations.checks import check_uuid
from training_versions.snapshots import Codec

SECRET = "content that no repr shows"
SNAPSHOTS: dict[str, Any] = {
    "config_snapshot": {"r": SECRET},
    "model_snapshot": {"id": SECRET},
    "dataset_snapshot": [{"id": SECRET}],
    "training_metrics": {"note": SECRET},
    "cost_alerts_sent": [SECRET],
}
PUBLISHED = {"status": "published", "published_at": MOMENT, "published_by": PACKAGE}
version = Version[Any, Any, Any].model_validate(version_row(3, name="bot-v3", **SNAPSHOTS))
published = cast("Any", Version).model_validate(version_row(4, **SNAPSHOTS, **PUBLISHED))
summary = VersionSummary.model_validate(version_row(5, status="archived", **SNAPSHOTS))
package = Package.model_validate(package_row(config_json={"r": SECRET}, version_count=1))
node = LineageNode.model_validate(lineage_row(1))
misfit = Misfit(path="/config_snapshot/r", problem="invalid", message="no")
deployment_row: dict[str, Any] = {
    **dict.fromkeys(Deployment.model_fields),
    **{"id": PACKAGE, "package_id": PACKAGE, "version_id": PACKAGE, "version_number": 3},
    **{"target": "local", "started_at": MOMENT},
}
versions: Page[VersionSummary] = Page(items=[summary, version], next_cursor="c")

SHOWN: list[tuple[object, str]] = [
    (version, "<Version 3 'bot-v3', draft>"),
    (published, "<Version 4 'bot-v4', published 2025-01-31>"),
    (summary, "<VersionSummary 5 'bot-v5', archived>"),
    (
        RecordedMetrics.model_validate(version_row(5, name="bot-v5")),
        "<RecordedMetrics 5 'bot-v5', draft>",
    ),
    (package, "<Package 'bot', 1 version>"),
    (Package.model_validate(package_row()), "<Package 'bot', 0 versions>"),
    (
        PackageOverview.model_validate(overview_row(version_count=2)),
        "<PackageOverview 'bot', 2 versions>",
    ),
    (versions, "<Page of 2, more follow>"),
    (Page[object](items=[], next_cursor=None), "<Page of 0, the last>"),
    (CopiedDraft(draft=summary, misfits=(misfit,)), f"<CopiedDraft {summary!r}, 1 misfits>"),
    (node, "<LineageNode 1 'bot-v1', draft>"),
    (
        Event.model_validate(event_row(1, details={"paths": [SECRET]})),
        "<Event version 1 edited, 2025-01-31>",
    ),
    (
        TrainingRun.model_validate(run_row(reason=SECRET)),
        "<TrainingRun running, started 2025-01-31>",
    ),
    (CostEntry.model_validate(cost_row()), "<CostEntry 0.10, 2025-01-31>"),
    (RecordedCost.model_validate(cost_row()), "<RecordedCost 0.10, 2025-01-31>"),
    (
        Deployment.model_validate(deployment_row),
        "<Deployment of version 3 at local, since 2025-01-31>",
    ),
    (
        Deployment.model_validate(deployment_row | {"ended_at": MOMENT}),
        "<Deployment of version 3 at local, 2025-01-31 to 2025-01-31>",
    ),
]


@pytest.mark.parametrize(("record", "shown"), SHOWN, ids=lambda each: type(each).__name__)
def test_what_is_shown_is_short_and_holds_no_content(record: BaseModel, shown: str) -> None:
    assert repr(record) == str(record) == shown


@pytest.mark.parametrize("record", [version, published, package], ids=repr)
def test_other_tools_that_show_models_leave_the_snapshots_out(record: BaseModel) -> None:
    shown = {name for name, _ in record.__repr_args__()}

    assert not shown & {"config_snapshot", "model_snapshot", "dataset_snapshot", "config_json"}
    assert "name" in shown


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (None, None),
        ("2025-01-31T12:00:00+02:00", "2025-01-31 10:00:00+00:00"),
        ("2025-01-31T12:00:00.5", "2025-01-31 12:00:00.500000+00:00"),
        ("2025-01-31", "2025-01-31 00:00:00+00:00"),
    ],
)
def test_a_package_says_in_utc_when_it_was_created_whatever_an_older_table_has(
    stored: str | None, read: str | None
) -> None:
    created_at = Package.model_validate(package_row(created_at=stored)).created_at

    assert (created_at and str(created_at.astimezone(UTC))) == read


def test_a_lineage_prints_as_a_tree_and_is_shown_as_its_size() -> None:
    lineage = Lineage(version=node, ancestors=(), descendants=(), root=node)

    assert repr(lineage) == "<Lineage of version 1: 0 above, 0 below>"
    assert str(lineage) == "* bot-v1 (draft)"


def test_a_page_is_a_sequence_of_what_is_on_it() -> None:
    assert isinstance(versions, Sequence)
    assert list(versions) == [*reversed(versions)][::-1] == versions.items
    assert len(versions) == 2
    assert version in versions
    assert package not in versions
    assert (versions[0], versions[-1], versions[1:]) == (summary, version, [version])
    assert (versions.index(version), versions.count(version)) == (1, 1)
    assert versions
    assert not Page[object](items=[], next_cursor="there is more")
    with pytest.raises(IndexError):
        _ = versions[2]
    match versions:
        case [first, *_]:
            assert first is summary
        case _:
            pytest.fail("a page is matched like a list")


def test_a_page_stays_a_model() -> None:
    assert copy.deepcopy(versions) == pickle.loads(pickle.dumps(versions)) == versions
    assert set(versions.model_dump()) == {"items", "next_cursor"}
    with pytest.raises(ValueError, match="frozen"):
        versions.next_cursor = None


@pytest.mark.parametrize("name", ["config_snapshot", "model_snapshot", "dataset_snapshot"])
def test_a_summary_that_is_asked_for_a_snapshot_says_how_to_read_it(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"no {name}: .*versions\.get\(summary\.id\)"):
        getattr(summary, name)

    assert not hasattr(summary, name)
    assert hasattr(version, name)


@pytest.mark.parametrize("record", [version, summary])
def test_a_version_that_is_asked_for_an_argument_says_how_the_field_is_named(record: Any) -> None:
    for name in ("config", "model", "dataset"):
        with pytest.raises(AttributeError, match=f"{name}_snapshot"):
            getattr(record, name)


def test_a_copied_draft_that_is_asked_for_its_id_says_where_it_is() -> None:
    copied = CopiedDraft(draft=summary, misfits=())

    with pytest.raises(AttributeError, match=r"no id: write copied\.draft\.id"):
        _ = cast("Any", copied).id
    with pytest.raises(AttributeError, match="no attribute 'ide'"):
        _ = cast("Any", copied).ide


FOR_AN_ID: list[tuple[object, str, str]] = [
    (version, "version_id", "Pass its id."),
    (summary, "parent_version_id", "Pass its id."),
    (version, "package_id", "Pass the package_id of the version."),
    (version, "into", "Pass the package_id of the version."),
    (package, "package_id", "Pass its id."),
    (package, "into", "Pass its id."),
    (package, "version_id", "A package has many versions: pass the id of one of them."),
    (
        CopiedDraft(draft=summary, misfits=()),
        "version_id",
        "Pass the id of the draft: copied.draft.id.",
    ),
    (
        CopiedDraft(draft=summary, misfits=()),
        "package_id",
        "Pass the package_id of the draft: copied.draft.package_id.",
    ),
    (TrainingRun.model_validate(run_row()), "run_id", "Pass its id."),
    (TrainingRun.model_validate(run_row()), "version_id", "Pass its version_id."),
    (Event.model_validate(event_row(1)), "package_id", "Pass its package_id."),
    (
        3,
        "version_id",
        "By its number: versions.get_by_number(package_id, number).id.",
    ),
    ("3", "version_id", "By its number: versions.get_by_number(package_id, number).id."),
    (3, "left", "By their numbers: versions.compare_numbers(package_id, 1, 2)."),
    ("bot", "package_id", "A package is found by its name with packages.find_by_name(name)."),
    (
        "bot-v1",
        "version_id",
        "A name does not identify a version: versions.list(package_id) has the ids.",
    ),
]


@pytest.mark.parametrize(("value", "argument", "hint"), FOR_AN_ID)
def test_something_else_where_an_id_is_wanted_is_told_where_the_id_is(
    value: object, argument: str, hint: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_uuid(value, argument)

    assert caught.value.message == f"{argument} must be a UUID, not {value!r}."
    assert caught.value.hint == hint
    assert SECRET not in str(caught.value)


def test_every_record_is_shown_without_its_content() -> None:
    kinds = {type(record).__name__.partition("[")[0] for record, _ in SHOWN}
    # Those that are shown field by field have nothing but small fields.
    small = {"ExportResult", "ImportResult", "Lineage", "MetricPoint", "Misfit", "PackageCost"}

    records = {each.__name__ for each in _subclasses(models.Record)}

    assert records - small == kinds


def _subclasses(kind: type) -> set[type]:
    found = {each for each in kind.__subclasses__() if "[" not in each.__name__}
    for each in [*found]:
        found |= _subclasses(each)
    return {each for each in found if each.__module__ == "training_versions"}


class Entry(BaseModel):
    id: str


class Entries(RootModel[list[Entry]]):
    pass


class EntryDict(TypedDict):
    id: str


@dataclass
class EntryDataclass:
    id: str


@pytest.mark.parametrize("kind", [Entry, EntryDict, EntryDataclass, dict])
def test_the_type_of_one_entry_is_refused_as_that_of_a_data_set(kind: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Codec("dataset", "dataset_snapshot", kind, many=True)

    assert caught.value.field == "dataset"
    assert str(caught.value.hint).endswith(f": dataset=list[{kind.__name__}].")
    Codec("dataset", "dataset_snapshot", list[kind], many=True)
    Codec("dataset", "dataset_snapshot", Entries, many=True)
    Codec("config", "config_snapshot", kind)


def test_an_object_in_place_of_a_type_is_told_its_class() -> None:
    with pytest.raises(InvalidInputError) as caught:
        Codec("config", "config_snapshot", cast("Any", Entry(id="a")))

    assert caught.value.hint == "Pass its class: config=Entry."
