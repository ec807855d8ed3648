"""Snapshots of the user's own types: written, read back, and refused where they do not fit."""

from __future__ import annotations

import dataclasses
import enum
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from training_versions import NotFoundError, UnreadableReplyError


class Bias(enum.StrEnum):
    NONE = "none"
    ALL = "all"


class LoraConfig(BaseModel):
    model_config = ConfigDict(frozen=True)

    r: int = Field(gt=0)
    lora_alpha: float = 16.0
    bias: Bias = Bias.NONE
    target_modules: list[str] = ["q_proj"]
    started: datetime | None = None


class BaseModelRef(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: str = Field(alias="modelId")
    released: date | None = None
    key: UUID | None = None


class DatasetRef(BaseModel):
    id: str
    share: Decimal = Decimal("1")


TYPES: dict[str, Any] = {"config": LoraConfig, "model": BaseModelRef, "dataset": list[DatasetRef]}
CONFIG = LoraConfig(
    r=8, bias=Bias.ALL, started=datetime(2025, 1, 31, 12, 30, 0, 250_000, tzinfo=UTC)
)
MODEL = BaseModelRef(id="llama", released=date(2024, 7, 23), key=UUID(int=7))
DATASET = [DatasetRef(id="tickets", share=Decimal("0.75")), DatasetRef(id="manuals")]


@pytest.fixture
def typed(connect, ada):
    """Ada again, with types."""
    return connect(ada, **TYPES)


@pytest.fixture
def typed_draft(typed, package):
    return typed.draft(package, config=CONFIG, model=MODEL, dataset=DATASET)


def test_typed_snapshots_come_back_as_their_types_from_every_operation(typed, package, typed_draft):
    versions, draft = typed.versions, typed_draft
    seen = [
        draft,
        versions.update_draft(draft.id, change_summary="typed"),
        versions.publish(draft.id),
        versions.get(draft.id),
        versions.find(draft.id),
        versions.get_by_number(package.id, 1),
        versions.latest(package.id),
        versions.latest_published(package.id),
        *versions.list(package.id, snapshots=True).items,
        *versions.iterate(package.id, snapshots=True),
        versions.archive(draft.id),
    ]

    assert len(seen) == 11
    for version in seen:
        assert version.config_snapshot == CONFIG
        assert version.model_snapshot == MODEL
        assert version.dataset_snapshot == DATASET
        assert version.config_snapshot.bias is Bias.ALL


def test_what_is_stored_is_plain_json(typed_draft, ada):
    plain = ada.versions.get(typed_draft.id)

    assert plain.config_snapshot == {
        "r": 8,
        "lora_alpha": 16.0,
        "bias": "all",
        "target_modules": ["q_proj"],
        "started": "2025-01-31T12:30:00.250000Z",
    }
    assert plain.model_snapshot == {
        "modelId": "llama",
        "released": "2024-07-23",
        "key": str(UUID(int=7)),
    }
    assert plain.dataset_snapshot == [
        {"id": "tickets", "share": "0.75"},
        {"id": "manuals", "share": "1"},
    ]


def test_typed_repositories_take_plain_json_and_fill_in_defaults(typed, package):
    draft = typed.draft(
        package, config={"r": 8}, model={"modelId": "llama"}, dataset=({"id": "tickets"},)
    )

    assert draft.config_snapshot == LoraConfig(r=8)
    assert draft.model_snapshot == BaseModelRef(id="llama")
    assert draft.dataset_snapshot == [DatasetRef(id="tickets")]


def test_an_edit_of_one_typed_snapshot_leaves_the_others(typed, typed_draft):
    wider = CONFIG.model_copy(update={"r": 64})

    edited = typed.versions.update_draft(typed_draft.id, config=wider)

    assert edited.config_snapshot == wider
    assert (edited.model_snapshot, edited.dataset_snapshot) == (MODEL, DATASET)


READS: dict[str, Any] = {
    "get": lambda versions, version: versions.get(version.id),
    "find": lambda versions, version: versions.find(version.id),
    "get_by_number": lambda versions, version: versions.get_by_number(version.package_id, 1),
    "latest": lambda versions, version: versions.latest(version.package_id),
    "list": lambda versions, version: versions.list(snapshots=True),
    "iterate": lambda versions, version: list(versions.iterate(snapshots=True)),
    "publish": lambda versions, version: versions.publish(version.id),
    "archive": lambda versions, version: versions.archive(version.id),
}
MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "config": ({"config": {"r": -1}}, "r"),
    "model": ({"model": {"id": "llama", "released": "someday", "modelId": "llama"}}, "released"),
    "dataset": ({"dataset": [{"id": "tickets"}, {"id": "manuals", "share": "much"}]}, "1.share"),
}


AFTERWARDS = {"publish": "published", "archive": "archived"}


@pytest.mark.parametrize(
    ("read", "field"), [(read, field) for read in READS for field in MISFITS][::2]
)
def test_a_stored_snapshot_that_does_not_fit_its_type_names_version_snapshot_and_path(
    typed, ada, package, field, read, survives_pickle
):
    changed, path = MISFITS[field]
    fitting = {"config": {"r": 8}, "model": {"modelId": "llama"}, "dataset": [{"id": "tickets"}]}
    version = ada.draft(package, **fitting | changed)
    if read == "archive":
        ada.versions.publish(version.id)

    with pytest.raises(UnreadableReplyError) as caught:
        READS[read](typed.versions, version)

    error = caught.value
    for words in (str(version.id), "number 1", f"{field}_snapshot", f" {path}: "):
        assert words in error.message
    assert "types do not fit what is stored" in error.hint
    assert str(version.id) in str(error.reply)
    survives_pickle(error)
    assert ada.versions.get(version.id).status == AFTERWARDS.get(read, "draft")


def test_a_write_that_returns_what_does_not_fit_says_that_it_was_carried_out(typed, ada, package):
    draft = ada.draft(package, config={"r": -1})

    with pytest.raises(
        UnreadableReplyError, match=r"versions\.publish was carried out, but"
    ) as lost:
        typed.versions.publish(draft.id)
    with pytest.raises(UnreadableReplyError, match=r"What versions\.get found cannot be read"):
        typed.versions.get(draft.id)

    assert "use a repository without types" in lost.value.hint
    assert ada.versions.get(draft.id).status == "published"


def test_summaries_of_versions_that_do_not_fit_are_listed_all_the_same(typed, ada, package):
    ada.draft(package, config={"r": -1})

    assert len(typed.versions.list(package.id).items) == 1
    assert len(list(typed.versions.iterate(package.id))) == 1
    assert typed.versions.count(package.id) == 1


@dataclasses.dataclass
class Optimizer:
    name: str
    betas: tuple[float, float] = (0.9, 0.999)


@dataclasses.dataclass
class Plan:
    r: int
    optimizer: Optimizer


class PeftLike:
    """As PEFT's configs: what `to_dict` gives holds sets and enums."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "r": 8,
            "target_modules": {"v_proj", "q_proj"},
            "bias": Bias.NONE,
            "nested": Optimizer("adam"),
        }


ADAM = {"name": "adam", "betas": [0.9, 0.999]}
PEFT = {"r": 8, "target_modules": ["q_proj", "v_proj"], "bias": "none", "nested": ADAM}
STORED: dict[str, tuple[Any, Any]] = {
    "an object with to_dict": (PeftLike(), PEFT),
    "a dataclass": (Plan(8, Optimizer("adam")), {"r": 8, "optimizer": ADAM}),
    "a mapping": (MappingProxyType({"r": 8}), {"r": 8}),
    "a tuple in a dict": ({"m": (1, 2)}, {"m": [1, 2]}),
}


@pytest.mark.parametrize(("given", "stored"), STORED.values(), ids=STORED)
def test_objects_of_many_kinds_are_stored_as_json(ada, package, given, stored):
    draft = ada.draft(package, config=given, model=given, dataset=(given, {"id": "x"}))

    assert draft.config_snapshot == draft.model_snapshot == stored
    assert draft.dataset_snapshot == [stored, {"id": "x"}]


def test_dataclasses_and_typed_dicts_are_types_as_well(connect, ada, package):
    class Ref(TypedDict):
        id: str

    by_type = connect(ada, config=Plan, model=Ref, dataset=list[Ref])

    draft = by_type.draft(
        package,
        config=Plan(8, Optimizer("adam")),
        model={"id": "llama"},
        dataset=[{"id": "tickets"}],
    )

    assert draft.config_snapshot == Plan(8, Optimizer("adam"))
    assert draft.dataset_snapshot == [{"id": "tickets"}]
    assert by_type.versions.get(draft.id) == draft


def test_containment_takes_the_users_types_as_well(ada, package):
    draft = ada.draft(package, config={"r": 8, "x": 1}, model={}, dataset=[{"id": "tickets"}])
    ada.draft(package, config={"r": 16}, dataset=[])

    class R(BaseModel):
        r: int

    @dataclasses.dataclass
    class Id:
        id: str

    for contained in (
        {"config_contains": R(r=8)},
        {"dataset_contains": Id("tickets")},
        {"dataset_contains": [Id("tickets")]},
    ):
        assert [found.id for found in ada.versions.iterate(**contained)] == [draft.id]


def test_typed_errors_of_the_database_are_the_same(typed, package):
    for operation in (typed.versions.get, typed.versions.publish):
        with pytest.raises(NotFoundError):
            operation(package.id)
