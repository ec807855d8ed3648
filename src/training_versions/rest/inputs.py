"""Request bodies, and the parameters that several endpoints share.

The fields of a body are the arguments of the SDK. The SDK and the database enforce the rules. The
declarations here describe them in OpenAPI, and report a mistake by its field.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self, cast
from uuid import UUID

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from training_versions import UNSET, DeploymentTarget
from training_versions.rest.json_text import read_json
from training_versions.rest.problems import Problem

_AMOUNT: Final = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")
_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_VISIBLE: Final[dict[str, JsonValue]] = {"pattern": r"\S"}


def _read_amount(value: object) -> object:
    text = value
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = repr(value).removesuffix(".0")
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise PydanticCustomError(
            "amount", "Input should be 0 to 99,999,999.99 with at most two decimals"
        )
    return text


def _read_integer(value: object) -> object:
    # Pydantic accepts text and booleans as well. (8.0 is an integer in JSON Schema, too.)
    if isinstance(value, str | bool):
        raise PydanticCustomError("integer", "Input should be a valid integer")
    return value


def _read_moment(value: object) -> object:
    # Pydantic accepts numbers as well, as seconds since 1970.
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise PydanticCustomError(
            "moment", "Input should be a moment with its time zone, such as 2026-01-31T12:00:00Z"
        )
    return value


def _read_json_text(value: str) -> object:
    try:
        return read_json(value.encode())
    except Problem as exc:
        raise PydanticCustomError(
            "json_text",
            "Input should be JSON: {problem}",
            {"problem": exc.detail.removesuffix(".")},
        ) from None


def _read_object(value: str) -> object:
    found = _read_json_text(value)
    if not isinstance(found, dict):
        raise PydanticCustomError("dict_type", "Input should be a JSON object")
    return cast("object", found)


def _read_objects(value: str) -> object:
    found = _read_json_text(value)
    if not isinstance(found, list) or not all(
        isinstance(entry, dict) for entry in cast("list[object]", found)
    ):
        raise PydanticCustomError("objects", "Input should be a JSON array of objects")
    return cast("object", found)


def _json_text(schema: dict[str, Any]) -> WithJsonSchema:
    """Return the schema of a parameter whose text is JSON."""
    return WithJsonSchema(
        {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    )


def _refuse_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "Input should not be blank")
    return value


def absent() -> Any:
    """Return the default of a field that a request may leave out, and that then stays unchanged."""
    return UNSET


JsonObject = Annotated[dict[str, Any], Field(description="Any JSON object; kept as it is sent.")]
_NotBlank: Final = AfterValidator(_refuse_blank)
Name = Annotated[str, Field(min_length=1, max_length=255, json_schema_extra=_VISIBLE), _NotBlank]
TemplateType = Annotated[
    str, Field(min_length=1, max_length=100, json_schema_extra=_VISIBLE), _NotBlank
]
Reason = Annotated[
    str, Field(min_length=1, max_length=10_000, json_schema_extra=_VISIBLE), _NotBlank
]
Summary = Annotated[str, Field(max_length=10_000)]
Address = Annotated[str, Field(min_length=1, max_length=2000, json_schema_extra=_VISIBLE)]
Label = Annotated[str, Field(min_length=1, max_length=255, json_schema_extra=_VISIBLE)]
Note = Annotated[str, Field(min_length=1, max_length=1000, json_schema_extra=_VISIBLE)]
Amount = Annotated[
    Decimal,
    BeforeValidator(_read_amount),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$"},
                {"type": "integer", "minimum": 0, "maximum": 99_999_999},
                {"type": "number", "minimum": 0, "maximum": 99_999_999.99, "multipleOf": 0.01},
            ]
        }
    ),
]
Moment = Annotated[AwareDatetime, BeforeValidator(_read_moment)]
# The limits come first, because OpenAPI would not describe them after a validator.
Step = Annotated[int, Field(ge=0, le=2**31 - 1), BeforeValidator(_read_integer)]
Percentage = Annotated[int, Field(ge=1, le=1000), BeforeValidator(_read_integer)]
Dataset = Annotated[list[dict[str, Any]], Field(description="The data sets, in their order.")]

Ids = Annotated[
    tuple[UUID, ...], Query(max_length=200, description="Those with one of these identifiers.")
]
# FastAPI does not allow objects in a query, so the type is `Any`.
ObjectText = Annotated[Any, BeforeValidator(_read_object), _json_text({"type": "object"})]
ObjectsText = Annotated[
    Any,
    BeforeValidator(_read_objects),
    _json_text({"type": "array", "items": {"type": "object"}}),
]
PackageId = Annotated[UUID, Path(description="The package.")]
VersionId = Annotated[UUID, Path(description="The version.")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="Its number in the package.")]
BelowOrAbove = Annotated[int, Field(ge=1, le=2**31 - 1)]
Target = Literal["local", "hf_space"]
assert set(Target.__args__) == {str(target) for target in DeploymentTarget}


class Body(BaseModel):
    """A request body. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    def as_arguments(self) -> dict[str, Any]:
        """Return the fields of the request as arguments of the SDK."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Changes(Body):
    """A body with the fields to change, at least one."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def name_something(self) -> Self:
        """Refuse a body without fields."""
        if not self.model_fields_set:
            raise PydanticCustomError(
                "nothing", "There is nothing to change: name at least one field"
            )
        return self


class NewPackage(Body):
    """A package to create."""

    name: Annotated[Name, Field(examples=["support-bot"])]
    template_type: Annotated[
        TemplateType,
        Field(description="What training it is for.", examples=["lora_finetuning"]),
    ]
    config: Annotated[JsonObject, Field(examples=[{"r": 8}])]


class PackageChanges(Changes):
    """What to change of a package; what is left out stays as it is."""

    name: Annotated[Name, Field(examples=["support-bot"])] = Field(default_factory=absent)
    template_type: TemplateType = Field(default_factory=absent)
    config: JsonObject = Field(default_factory=absent)


class NewVersion(Body):
    """A draft to create."""

    package_id: Annotated[UUID, Field(description="The package that it is a version of.")]
    config: Annotated[JsonObject, Field(examples=[{"r": 8, "lora_alpha": 16}])]
    model: Annotated[JsonObject, Field(examples=[{"id": "mistral-7b"}])]
    dataset: Annotated[Dataset, Field(examples=[[{"datasetId": "faq"}]])]
    name: Annotated[
        Name | None,
        Field(description="By default made of the package's name, the number and the date."),
    ] = None
    change_summary: Annotated[Summary | None, Field(description="What is new.")] = None
    parent_version_id: Annotated[
        UUID | None, Field(description="The version that it comes from.")
    ] = None
    estimated_cost: Annotated[
        Amount | None, Field(description="What training should cost.", examples=["12.50"])
    ] = None
    budget_limit: Annotated[
        Amount | None, Field(description="What training may cost.", examples=["20.00"])
    ] = None


class DraftChanges(Changes):
    """What to change of a draft; what is left out stays as it is, and null empties a field."""

    config: Annotated[JsonObject, Field(examples=[{"r": 16}])] = Field(default_factory=absent)
    model: JsonObject = Field(default_factory=absent)
    dataset: Dataset = Field(default_factory=absent)
    name: Name = Field(default_factory=absent)
    change_summary: Summary | None = Field(default_factory=absent)
    parent_version_id: UUID | None = Field(default_factory=absent)
    estimated_cost: Amount | None = Field(default_factory=absent)
    budget_limit: Amount | None = Field(default_factory=absent)


class Publication(Body):
    """How to publish a draft."""

    name: Annotated[
        Name | None,
        Field(
            description="Its name from now on; by default without `-draft-` and the date.",
            examples=["support-bot-v3"],
        ),
    ] = None


class Copy(Body):
    """The draft that a version is restored to."""

    name: Annotated[
        Name | None,
        Field(description="By default made as that of a new draft.", examples=["again"]),
    ] = None
    change_summary: Annotated[
        Summary | None, Field(description="By default says which version it comes from.")
    ] = None


class Fork(Copy):
    """The draft that a version is forked to."""

    package_id: Annotated[UUID, Field(description="The package for the draft.")]


class Metrics(Body):
    """Metrics to record."""

    metrics: Annotated[
        dict[str, Any],
        Field(
            min_length=1,
            description="Values by name.",
            examples=[{"loss": 0.41}],
            json_schema_extra={"propertyNames": {"minLength": 1, "maxLength": 255, **_VISIBLE}},
        ),
    ]
    step: Annotated[
        Step | None, Field(description="With a step, numbers become points of curves.")
    ] = None
    run_id: Annotated[UUID | None, Field(description="Record only while this run is running.")] = (
        None
    )


class _End(Body):
    run_id: Annotated[
        UUID | None, Field(description="Only if this run is the one that is running.")
    ] = None


class Completed(_End):
    """A training run ended well."""

    status: Literal["completed"]


class Failed(_End):
    """A training run failed."""

    status: Literal["failed"]
    reason: Annotated[Reason, Field(examples=["out of memory at step 1,200"])]


class Cancelled(_End):
    """A training run is cancelled."""

    status: Literal["cancelled"]
    reason: Reason | None = None


TrainingEnd = Annotated[Completed | Failed | Cancelled, Field(discriminator="status")]


class NewDeployment(Body):
    """Where a version goes live."""

    target: Target
    url: Annotated[
        Address | None,
        Field(description="Where it answers.", examples=["https://example.com"]),
    ] = None
    deployment_id: Annotated[Label | None, Field(description="What the target calls it.")] = None


class Undeployment(Body):
    """Where a version is undeployed."""

    target: Annotated[Target | None, Field(description="Everywhere if left out.")] = None


class NewCost(Body):
    """A cost to record."""

    amount: Annotated[Amount, Field(examples=["4.20"])]
    note: Annotated[
        Note | None, Field(description="What it was for.", examples=["eight hours"])
    ] = None
    key: Annotated[
        Label | None,
        Field(description="A version has one entry with this key; sent again, it counts once."),
    ] = None
    alert_at: Annotated[
        list[Percentage],
        Field(max_length=100, description="Percentages of the budget at which to alert."),
    ] = [50, 80, 100]
