"""The models of the SDK and the columns of the database agree, as `supabase gen types` reports them."""

import ast
import enum
import types
import typing
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import AwareDatetime

from training_versions.models import (
    CostEntry,
    Deployment,
    Event,
    MetricPoint,
    Package,
    TrainingRun,
    Version,
    VersionSummary,
)

# How a column's type, as the generator writes it, is read by a model.
READ_AS = {
    "uuid.UUID": UUID,
    "datetime.datetime": AwareDatetime,
    "str": str,
    "int": int,
    "bool": bool,
    "float": Decimal,  # a numeric; the wire has a JSON number
    "JsonValue": "json",
    "List[int]": "ints",
}
SNAPSHOTS = {"config_snapshot", "model_snapshot", "dataset_snapshot"}


@pytest.fixture(scope="module")
def generated(new_server, migrate, cli):
    """Per class that the generator wrote: the type of each column, and whether it may be null."""
    database = new_server.database()
    migrate(database)
    source = cli("gen", "types", "--lang", "python", "--schema", "public", database=database)
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {
        one.name: {field.target.id: column_of(field.annotation) for field in one.body}
        for one in classes
        if not one.name.endswith(("Insert", "Update"))
    }


def column_of(annotation):
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Optional":
        return READ_AS[ast.unparse(annotation.slice)], True
    return READ_AS[ast.unparse(annotation)], False


def model_of(annotation):
    """The same of a field of a model."""
    if (
        annotation is typing.Any
        or isinstance(annotation, typing.TypeVar)
        or typing.get_origin(annotation) is dict
    ):
        return "json", annotation is typing.Any
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(annotation) if part is not type(None)]
        return model_of(inner[0])[0], len(inner) < len(typing.get_args(annotation))
    if typing.get_origin(annotation) is tuple:
        return "ints", False
    if annotation is float:
        return Decimal, False
    if typing.get_origin(annotation) is typing.Annotated:
        return model_of(typing.get_args(annotation)[0])
    if issubclass(annotation, enum.StrEnum):
        return str, False
    return annotation, False


def fields_of(model):
    return {
        name: model_of(hint)
        for name, hint in typing.get_type_hints(model).items()
        if name in model.model_fields
    }


def test_a_version_has_exactly_the_columns_of_its_table(generated):
    assert fields_of(Version) == generated["PublicTrainingPackageVersions"]


def test_a_summary_is_a_version_without_snapshots(generated):
    columns = generated["PublicTrainingPackageVersions"]

    assert fields_of(VersionSummary) == {
        name: column for name, column in columns.items() if name not in SNAPSHOTS
    }


def test_a_package_has_exactly_the_columns_of_its_table(generated):
    columns = generated["PublicTrainingConfigs"]

    # A table that was there before may lack created_at.
    assert fields_of(Package) == {**columns, "created_at": (AwareDatetime, True)}


@pytest.mark.parametrize(
    ("record", "table", "kept_back"),
    [
        (Event, "PublicTrainingVersionEvents", {"owner_id"}),
        (TrainingRun, "PublicTrainingRuns", {"owner_id"}),
        (MetricPoint, "PublicTrainingMetricPoints", {"owner_id", "run_id", "name"}),
        (Deployment, "PublicTrainingDeployments", {"owner_id"}),
        (CostEntry, "PublicTrainingCosts", {"owner_id"}),
    ],
)
def test_a_record_has_the_columns_of_its_table(generated, record, table, kept_back):
    columns = generated[table]

    assert fields_of(record) == {
        name: column for name, column in columns.items() if name not in kept_back
    }


def test_nothing_else_is_exposed(generated):
    assert set(generated) == {
        "PublicTrainingConfigs",
        "PublicTrainingPackageVersions",
        "PublicTrainingVersionEvents",
        "PublicTrainingRuns",
        "PublicTrainingMetricPoints",
        "PublicTrainingDeployments",
        "PublicTrainingCosts",
    }
