"""The models of the SDK have the columns that `supabase gen types` reports."""

import ast
import enum
import re
import types
import typing
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import pytest
from pydantic import AwareDatetime

from training_versions import (
    CostEntry,
    Deployment,
    DeploymentTarget,
    Event,
    EventKind,
    MetricPoint,
    Package,
    TrainingRun,
    TrainingStatus,
    Version,
    VersionStatus,
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


class Column(NamedTuple):
    type: object
    may_be_null: bool


@pytest.fixture(scope="module")
def generated(newest_server, cli):
    """The columns of each class that the generator wrote."""
    database = newest_server.migrated_project()
    source = cli.run("gen", "types", "--lang", "python", "--schema", "public", database=database)
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {
        one.name: {field.target.id: generated_column(field.annotation) for field in one.body}
        for one in classes
        if not one.name.endswith(("Insert", "Update"))
    }


def generated_column(annotation):
    optional = isinstance(annotation, ast.Subscript) and annotation.value.id == "Optional"
    inner = annotation.slice if optional else annotation
    return Column(READ_AS[ast.unparse(inner)], optional)


def columns_of(model):
    """The columns that a model has fields for."""
    return {
        name: model_column(hint)
        for name, hint in typing.get_type_hints(model).items()
        if name in model.model_fields
    }


def model_column(hint):
    if hint is typing.Any:
        return Column("json", may_be_null=True)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        first, *_ = (part for part in typing.get_args(hint) if part is not type(None))
        return Column(model_column(first).type, type(None) in typing.get_args(hint))
    return Column(column_type(hint), may_be_null=False)


def column_type(hint):
    if isinstance(hint, typing.TypeVar) or typing.get_origin(hint) is dict:
        return "json"
    if typing.get_origin(hint) is tuple:
        return "ints"
    if hint is float:
        return Decimal
    if issubclass(hint, enum.StrEnum):
        return str
    return hint


def columns_of_versions(generated):
    # The edit token of a caller is `updated_at`; this column is what it is compared with.
    columns = dict(generated["PublicTrainingPackageVersions"])
    del columns["content_updated_at"]
    return columns


def test_a_version_has_exactly_the_columns_of_its_table(generated):
    assert columns_of(Version) == columns_of_versions(generated)


def test_a_summary_is_a_version_without_snapshots(generated):
    columns = columns_of_versions(generated)

    assert columns_of(VersionSummary) == {
        name: column for name, column in columns.items() if name not in SNAPSHOTS
    }
    # A view says of no column that it is never null.
    view = generated["PublicTrainingPackageVersionSummaries"]
    types = {name: column.type for name, column in columns_of(VersionSummary).items()}
    assert types == {name: column.type for name, column in view.items()}


def test_a_package_has_exactly_the_columns_of_its_table(generated):
    columns = generated["PublicTrainingConfigs"]

    # A table that was there before may lack created_at.
    assert columns_of(Package) == {**columns, "created_at": Column(AwareDatetime, may_be_null=True)}


@pytest.mark.parametrize(
    ("record", "table", "kept_back"),
    [
        (Event, "PublicTrainingVersionEvents", {"owner_id", "imported_from"}),
        (TrainingRun, "PublicTrainingRuns", {"owner_id"}),
        (MetricPoint, "PublicTrainingMetricPoints", {"owner_id", "run_id", "name"}),
        (Deployment, "PublicTrainingDeployments", {"owner_id"}),
        # Its view adds two columns of the version.
        (CostEntry, "PublicTrainingCosts", {"owner_id", "package_id", "version_number"}),
    ],
)
def test_a_record_has_the_columns_of_its_table(generated, record, table, kept_back):
    columns = generated[table]

    def shown(found):
        return {name: column for name, column in found.items() if name not in kept_back}

    assert shown(columns_of(record)) == shown(columns)


@pytest.mark.parametrize(
    ("kind", "table", "column"),
    [
        (VersionStatus, "training_package_versions", "status"),
        (TrainingStatus, "training_package_versions", "training_status"),
        (DeploymentTarget, "training_package_versions", "deployment_target"),
        (DeploymentTarget, "training_deployments", "target"),
        (EventKind, "training_version_events", "kind"),
    ],
)
def test_an_enum_has_the_members_that_the_database_allows(newest_server, kind, table, column):
    # Constraints of several columns name values, too: only those of this column alone count.
    constraints = newest_server.migrated_project().rows(f"""
        select pg_get_constraintdef(c.oid) as text
        from pg_constraint c
        join pg_attribute a on a.attrelid = c.conrelid and array[a.attnum] = c.conkey
        where c.contype = 'c' and c.conrelid = 'public.{table}'::regclass and a.attname = '{column}'
    """)

    allowed = {value for row in constraints for value in re.findall(r"'(\w+)'", row["text"])}

    assert allowed == {str(member) for member in kind}


def test_nothing_else_is_exposed(generated):
    assert set(generated) == {
        "PublicTrainingConfigs",
        "PublicTrainingPackageVersions",
        "PublicTrainingPackageVersionSummaries",
        "PublicTrainingPublishedVersions",
        "PublicTrainingRowNumbers",
        "PublicTrainingPackageOverviews",
        "PublicTrainingCostEntries",
        "PublicTrainingVersionEvents",
        "PublicTrainingRuns",
        "PublicTrainingMetricPoints",
        "PublicTrainingDeployments",
        "PublicTrainingCosts",
    }
