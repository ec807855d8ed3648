"""Snapshots of the user's own types: written, read back as those types, and refused where they do not fit."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from training_versions import InvalidInputError, NotFoundError, RejectedError, UnreadableReplyError


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
def typed(connect: Any, ada: Any) -> Any:
    """Ada again, with types."""
    return connect(ada, **TYPES)


def test_typed_snapshots_come_back_as_their_types_from_every_operation(
    typed: Any, package: Any
) -> None:
    versions = typed.versions
    draft = versions.create_draft(package.id, config=CONFIG, model=MODEL, dataset=DATASET)
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


def test_what_is_stored_is_plain_json(typed: Any, ada: Any, package: Any) -> None:
    draft = typed.versions.create_draft(package.id, config=CONFIG, model=MODEL, dataset=DATASET)

    plain = ada.versions.get(draft.id)

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


def test_typed_repositories_take_plain_json_and_fill_in_defaults(typed: Any, package: Any) -> None:
    draft = typed.versions.create_draft(
        package.id, config={"r": 8}, model={"modelId": "llama"}, dataset=({"id": "tickets"},)
    )

    assert draft.config_snapshot == LoraConfig(r=8)
    assert draft.model_snapshot == BaseModelRef(id="llama")
    assert draft.dataset_snapshot == [DatasetRef(id="tickets")]


def test_an_edit_of_one_typed_snapshot_leaves_the_others(typed: Any, package: Any) -> None:
    draft = typed.versions.create_draft(package.id, config=CONFIG, model=MODEL, dataset=DATASET)

    edited = typed.versions.update_draft(draft.id, config=CONFIG.model_copy(update={"r": 64}))

    assert edited.config_snapshot.r == 64
    assert (edited.model_snapshot, edited.dataset_snapshot) == (MODEL, DATASET)


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"config": {"r": 0}}, "config", "config.r does not fit its type"),
        ({"config": {}}, "config", "config.r does not fit its type"),
        ({"config": "r=8"}, "config", "config does not fit its type"),
        ({"model": {"modelId": 5}}, "model", "model.modelId does not fit its type"),
        (
            {"dataset": [{"id": "a"}, {"share": "much"}]},
            "dataset",
            "dataset[1].id does not fit its type",
        ),
        ({"dataset": {"id": "a"}}, "dataset", "dataset does not fit its type"),
    ],
    ids=str,
)
@pytest.mark.parametrize("entry", ["create_draft", "update_draft"])
def test_a_snapshot_that_does_not_fit_its_type_is_refused_before_anything_is_sent(
    typed: Any, package: Any, draft: Any, entry: str, given: Any, field: str, words: str
) -> None:
    whole = {"config": CONFIG, "model": MODEL, "dataset": DATASET, **given}
    typed.sent.clear()

    arguments = {"create_draft": (package.id, whole), "update_draft": (draft.id, given)}
    key, content = arguments[entry]

    with pytest.raises(InvalidInputError) as caught:
        getattr(typed.versions, entry)(key, **content)

    assert caught.value.field == field
    assert caught.value.message.startswith(words)
    assert typed.sent == []


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


@pytest.mark.parametrize(
    ("read", "field"), [(read, field) for read in READS for field in MISFITS][::2]
)
def test_a_stored_snapshot_that_does_not_fit_its_type_names_version_snapshot_and_path(
    connect: Any, ada: Any, package: Any, field: str, read: str, survives_pickle: Any
) -> None:
    changed, path = MISFITS[field]
    fitting = {"config": {"r": 8}, "model": {"modelId": "llama"}, "dataset": [{"id": "tickets"}]}
    version = ada.versions.create_draft(package.id, **{**fitting, **changed})
    if read == "archive":
        ada.versions.publish(version.id)
    typed = connect(ada, **TYPES)

    with pytest.raises(UnreadableReplyError) as caught:
        READS[read](typed.versions, version)

    error = caught.value
    assert str(version.id) in error.message
    assert "number 1" in error.message
    assert f"{field}_snapshot" in error.message
    assert f" {path}: " in error.message
    assert "types do not fit what is stored" in error.hint
    assert str(version.id) in str(error.reply)
    survives_pickle(error)
    assert ada.versions.get(version.id).status == {
        "publish": "published",
        "archive": "archived",
    }.get(read, "draft")


def test_summaries_of_versions_that_do_not_fit_are_listed_all_the_same(
    connect: Any, ada: Any, package: Any
) -> None:
    ada.versions.create_draft(package.id, config={"r": -1}, model={}, dataset=[])
    typed = connect(ada, **TYPES)

    assert len(typed.versions.list(package.id).items) == 1
    assert len(list(typed.versions.iterate(package.id))) == 1
    assert typed.versions.count(package.id) == 1


def test_a_repository_without_types_reads_whatever_is_stored(
    ada: Any, typed: Any, package: Any
) -> None:
    draft = typed.versions.create_draft(package.id, config=CONFIG, model=MODEL, dataset=DATASET)

    assert ada.versions.get(draft.id).config_snapshot["r"] == 8


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


def test_dataclasses_and_objects_with_to_dict_are_stored_as_json(ada: Any, package: Any) -> None:
    draft = ada.versions.create_draft(
        package.id,
        config=PeftLike(),
        model=Plan(8, Optimizer("adam")),
        dataset=[Plan(1, Optimizer("sgd")), {"id": "x"}],
    )

    adam = {"name": "adam", "betas": [0.9, 0.999]}
    assert draft.config_snapshot == {
        "r": 8,
        "target_modules": ["q_proj", "v_proj"],
        "bias": "none",
        "nested": adam,
    }
    assert draft.model_snapshot == {"r": 8, "optimizer": adam}
    assert draft.dataset_snapshot == [
        {"r": 1, "optimizer": {"name": "sgd", "betas": [0.9, 0.999]}},
        {"id": "x"},
    ]


def test_dataclasses_and_typed_dicts_are_types_as_well(
    connect: Any, ada: Any, package: Any
) -> None:
    class Ref(TypedDict):
        id: str

    by_type = connect(ada, config=Plan, model=Ref, dataset=list[Ref])

    draft = by_type.versions.create_draft(
        package.id,
        config=Plan(8, Optimizer("adam")),
        model={"id": "llama"},
        dataset=[{"id": "tickets"}],
    )

    assert draft.config_snapshot == Plan(8, Optimizer("adam"))
    assert draft.dataset_snapshot == [{"id": "tickets"}]
    assert by_type.versions.get(draft.id) == draft


def test_mappings_and_sequences_of_other_kinds_are_json_too(ada: Any, package: Any) -> None:
    class Frozen(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            return {"r": 8}[key]

        def __iter__(self) -> Any:
            return iter(["r"])

        def __len__(self) -> int:
            return 1

    draft = ada.versions.create_draft(
        package.id, config=Frozen(), model={"m": (1, 2)}, dataset=(Frozen(),)
    )

    assert draft.config_snapshot == {"r": 8}
    assert draft.model_snapshot == {"m": [1, 2]}
    assert draft.dataset_snapshot == [{"r": 8}]


def test_containment_takes_the_users_types_as_well(ada: Any, package: Any) -> None:
    draft = ada.versions.create_draft(
        package.id, config={"r": 8, "x": 1}, model={}, dataset=[{"id": "tickets"}]
    )
    ada.versions.create_draft(package.id, config={"r": 16}, model={}, dataset=[])

    class R(BaseModel):
        r: int

    @dataclasses.dataclass
    class Id:
        id: str

    assert [found.id for found in ada.versions.iterate(config_contains=R(r=8))] == [draft.id]
    assert [found.id for found in ada.versions.iterate(dataset_contains=Id("tickets"))] == [
        draft.id
    ]
    assert [found.id for found in ada.versions.iterate(dataset_contains=[Id("tickets")])] == [
        draft.id
    ]


def test_typed_errors_of_the_database_are_the_same(typed: Any, package: Any) -> None:
    with pytest.raises(NotFoundError):
        typed.versions.get(package.id)
    with pytest.raises((NotFoundError, RejectedError)):
        typed.versions.publish(package.id)
