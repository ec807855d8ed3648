"""The statements that `rights` tries for each role, and whether each should succeed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

Who = Literal["owner", "stranger", "anon", "service"]


@dataclass(frozen=True)
class Attempt:
    """A statement by one caller, and whether it should succeed."""

    who: Who
    what: str
    sql: str
    allowed: bool = False


@dataclass(frozen=True)
class Ids:
    """The identifiers in the statements, where each is written as `:name`."""

    owner: str
    stranger: str
    package: str = field(default_factory=lambda: str(uuid4()))
    others: str = field(default_factory=lambda: str(uuid4()))
    published: str = field(default_factory=lambda: str(uuid4()))
    draft: str = field(default_factory=lambda: str(uuid4()))
    of_stranger: str = field(default_factory=lambda: str(uuid4()))

    def fill_in(self, sql: str) -> str:
        """Replace the names in a statement with the identifiers."""
        return re.sub(r"(?<!:):([a-z_]+)", lambda found: f"'{getattr(self, found[1])}'::uuid", sql)


_EMPTY = """'{"config_snapshot": {}, "model_snapshot": {}, "dataset_snapshot": []}'"""
_TABLE = "public.training_package_versions"
_COLUMNS = "(package_id, status, config_snapshot, model_snapshot, dataset_snapshot)"
_SNAPSHOTS = "'{}', '{}', '[]'"
_FACT_TABLES = (
    "public.training_version_events",
    "public.training_runs",
    "public.training_metric_points",
    "public.training_deployments",
    "public.training_costs",
)
_VIEWS = ("public.training_package_version_summaries", "public.training_published_versions")


def _owner(what: str, sql: str) -> Attempt:
    return Attempt("owner", what, sql, allowed=True)


CALLERS = (
    _owner("be known as the caller", "select from auth.uid() as id where id = :owner"),
    Attempt(
        "stranger",
        "be known as the caller",
        "select from auth.uid() as id where id = :stranger",
        allowed=True,
    ),
)
"""`auth.uid()` must return the caller, because all rules depend on it."""

SETUP = (
    _owner(
        "create a package",
        "select public.create_training_package('doctor', 'lora_finetuning', '{}', :package)",
    ),
    Attempt(
        "stranger",
        "create a package of their own",
        "select public.create_training_package('doctor two', 'lora_finetuning', '{}', :others)",
        allowed=True,
    ),
    _owner(
        "create a draft",
        f"select public.create_training_draft(:package, {_EMPTY}, :published)",
    ),
    _owner("start training", "select public.start_version_training(:published)"),
    _owner(
        "record metrics",
        """select public.record_version_metrics(:published, '{"loss": 0.5}', 1)""",
    ),
    _owner("complete training", "select public.complete_version_training(:published)"),
    _owner("record a cost", "select public.record_training_cost(:published, 1.5)"),
    _owner("publish a draft", "select public.publish_training_version(:published)"),
    _owner("deploy a version", "select public.deploy_training_version(:published, 'local')"),
    _owner(
        "create a second draft",
        f"select public.create_training_draft(:package, {_EMPTY}, :draft)",
    ),
    Attempt(
        "stranger",
        "create a draft of their own",
        f"select public.create_training_draft(:others, {_EMPTY}, :of_stranger)",
        allowed=True,
    ),
)
"""Create the rows for the attempts. They are kept until all attempts are made."""

_OWNER_MAY = (
    _owner(
        "see the counters of the package",
        "select from public.training_configs where id = :package and version_count = 2"
        " and latest_published_version = 1 and current_version_id = :published",
    ),
    _owner("read a version", f"select from {_TABLE} where id = :published"),
    *(
        _owner(f"read {view.partition('.')[2]}", f"select from {view} where id = :published")
        for view in _VIEWS
    ),
    *(_owner(f"read {table.partition('.')[2]}", f"select from {table}") for table in _FACT_TABLES),
    _owner(
        "find the whole history",
        "select from public.training_version_events where version_id = :published"
        " having array_agg(kind order by id) = array['created', 'training_started',"
        " 'training_completed', 'cost_recorded', 'published', 'deployed']",
    ),
    _owner(
        "get the next number",
        "select from public.get_next_version_number(:package) as n where n = 3",
    ),
    _owner(
        "edit a draft",
        """select public.update_training_draft(:draft, '{"name": "edited"}')""",
    ),
    _owner("edit a draft directly", f"update {_TABLE} set name = 'edited' where id = :draft"),
    _owner(
        "insert a draft directly",
        f"insert into {_TABLE} {_COLUMNS} values (:package, 'draft', {_SNAPSHOTS})",
    ),
    _owner("delete a draft", "select public.delete_training_draft(:draft)"),
    _owner("restore a version", "select public.restore_training_version(:published)"),
    _owner("fork a version", "select public.fork_training_version(:published, :package)"),
    _owner("take a version down", "select public.undeploy_training_version(:published)"),
    _owner("archive a version", "select public.archive_training_version(:published)"),
    _owner("see the lineage", "select public.get_version_lineage(:published)"),
    _owner("see the cost", "select public.get_package_cost(:package)"),
    _owner("export a package", "select public.export_training_versions(:package, 0, 10, 1000)"),
)


def _not_owner(what: str, sql: str) -> Attempt:
    return Attempt("owner", what, sql)


_OWNER_MAY_NOT = (
    _not_owner(
        "change published content",
        f"""update {_TABLE} set config_snapshot = '{{"r": 8}}' where id = :published""",
    ),
    _not_owner(
        "make a published version a draft",
        f"update {_TABLE} set status = 'draft' where id = :published",
    ),
    _not_owner("delete a published version", f"delete from {_TABLE} where id = :published"),
    _not_owner(
        "delete a package with history",
        "delete from public.training_configs where id = :package",
    ),
    _not_owner(
        "insert a published version",
        f"insert into {_TABLE} {_COLUMNS} values (:package, 'published', {_SNAPSHOTS})",
    ),
    _not_owner("archive a draft", f"update {_TABLE} set status = 'archived' where id = :draft"),
    _not_owner(
        "create a draft in another user's package",
        f"insert into {_TABLE} {_COLUMNS} values (:others, 'draft', {_SNAPSHOTS})",
    ),
    _not_owner(
        "move a draft to another user's package",
        f"update {_TABLE} set package_id = :others where id = :draft",
    ),
    _not_owner(
        "sign a draft with another user's name",
        f"insert into {_TABLE} {_COLUMNS[:-1]}, created_by)"
        f" values (:package, 'draft', {_SNAPSHOTS}, :stranger)",
    ),
    _not_owner(
        "publish with another user's name",
        f"update {_TABLE} set status = 'published', published_by = :stranger where id = :draft",
    ),
    _not_owner(
        "make another user's version the parent",
        f"update {_TABLE} set parent_version_id = :of_stranger where id = :draft",
    ),
    _not_owner(
        "make a version its own parent",
        f"update {_TABLE} set parent_version_id = id where id = :draft",
    ),
    _not_owner(
        "take a number that is taken",
        f"insert into {_TABLE} {_COLUMNS[:-1]}, version_number)"
        f" values (:package, 'draft', {_SNAPSHOTS}, 1)",
    ),
    _not_owner(
        "store a snapshot of another shape",
        f"update {_TABLE} set dataset_snapshot = '{{}}' where id = :draft",
    ),
    _not_owner(
        "set the counter of a package",
        "update public.training_configs set version_count = 9 where id = :package",
    ),
    _not_owner(
        "set the pointer of a package",
        "update public.training_configs set current_version_id = :draft where id = :package",
    ),
    _not_owner(
        "give a package away",
        "update public.training_configs set user_id = :stranger where id = :package",
    ),
    _not_owner("deploy a draft", "select public.deploy_training_version(:draft, 'local')"),
    _not_owner(
        "start training that is completed", "select public.start_version_training(:published)"
    ),
    *(
        _not_owner(f"change {table.partition('.')[2]}", f"delete from {table}")
        for table in _FACT_TABLES
    ),
    _not_owner(
        "add to the history",
        "insert into public.training_version_events"
        " (package_id, version_id, version_number, kind)"
        " values (:package, :published, 1, 'archived')",
    ),
    _not_owner("read the bookkeeping", "select from training_versions_internal.package_numbers"),
)


def _stranger(what: str, sql: str) -> Attempt:
    return Attempt("stranger", what, sql)


_STRANGER_MAY_NOT = (
    _stranger("read another user's version", f"select from {_TABLE} where id = :published"),
    *(
        _stranger(
            f"read another user's version in {view.partition('.')[2]}",
            f"select from {view} where id = :published",
        )
        for view in _VIEWS
    ),
    *(
        _stranger(
            f"read another user's {table.partition('.')[2]}",
            f"select from {table} where owner_id = :owner",
        )
        for table in _FACT_TABLES
    ),
    _stranger("edit another user's draft", f"update {_TABLE} set name = 'taken' where id = :draft"),
    _stranger("delete another user's draft", f"delete from {_TABLE} where id = :draft"),
    _stranger(
        "take another user's draft over",
        f"update {_TABLE} set created_by = :stranger where id = :draft",
    ),
    _stranger(
        "create a draft in another user's package",
        f"select public.create_training_draft(:package, {_EMPTY})",
    ),
    _stranger(
        "insert a draft into another user's package",
        f"insert into {_TABLE} {_COLUMNS} values (:package, 'draft', {_SNAPSHOTS})",
    ),
    *(
        _stranger(what, f"select public.{call}")
        for what, call in (
            (
                "edit another user's draft by its function",
                """update_training_draft(:draft, '{"name": "taken"}')""",
            ),
            ("publish another user's draft", "publish_training_version(:draft)"),
            ("archive another user's version", "archive_training_version(:published)"),
            ("restore another user's version", "restore_training_version(:published)"),
            ("fork another user's version", "fork_training_version(:published, :others)"),
            ("start training another user's draft", "start_version_training(:draft)"),
            ("record another user's metrics", """record_version_metrics(:draft, '{"a": 1}')"""),
            ("deploy another user's version", "deploy_training_version(:published, 'hf_space')"),
            ("take another user's version down", "undeploy_training_version(:published)"),
            ("record another user's cost", "record_training_cost(:published, 1)"),
            ("see another user's lineage", "get_version_lineage(:published)"),
            ("get the next number of another user's package", "get_next_version_number(:package)"),
            ("import into another user's package", "import_training_versions(:package, '[]')"),
        )
    ),
)

_ANON_MAY_NOT = (
    *(
        Attempt("anon", f"read {table.partition('.')[2]}", f"select from {table}")
        for table in (_TABLE, *_VIEWS, *_FACT_TABLES, "public.training_row_numbers")
    ),
    Attempt(
        "anon",
        "insert a draft",
        f"insert into {_TABLE} {_COLUMNS} values (:package, 'draft', {_SNAPSHOTS})",
    ),
    *(
        Attempt("anon", what, f"select public.{call}")
        for what, call in (
            ("create a package", "create_training_package('doctor', 'lora', '{}')"),
            ("create a draft", f"create_training_draft(:package, {_EMPTY})"),
            ("publish a draft", "publish_training_version(:draft)"),
            ("get the next number", "get_next_version_number(:package)"),
            ("see the lineage", "get_version_lineage(:published)"),
        )
    ),
)


def _service(what: str, sql: str) -> Attempt:
    return Attempt("service", what, sql, allowed=True)


def _not_service(what: str, sql: str) -> Attempt:
    return Attempt("service", what, sql)


_SERVICE = (
    _service("read a version of any user", f"select from {_TABLE} where id = :published"),
    _service(
        "create a draft for the owner",
        f"select from public.create_training_draft(:package, {_EMPTY}) as d"
        " where d.created_by = :owner",
    ),
    _service(
        "write training directly",
        f"update {_TABLE} set training_status = 'running' where id = :draft",
    ),
    _service("write a cost directly", f"update {_TABLE} set actual_cost = 2 where id = :published"),
    _not_service(
        "change published content",
        f"""update {_TABLE} set config_snapshot = '{{"r": 8}}' where id = :published""",
    ),
    _not_service("delete a published version", f"delete from {_TABLE} where id = :published"),
    _not_service(
        "make a published version a draft",
        f"update {_TABLE} set status = 'draft' where id = :published",
    ),
    _not_service(
        "set the counter of a package",
        "update public.training_configs set version_count = 9 where id = :package",
    ),
    _not_service(
        "change the history",
        "update public.training_version_events set kind = 'edited' where owner_id = :owner",
    ),
    _not_service(
        "add a cost around the function",
        "insert into public.training_costs (version_id, amount, key)"
        " values (:published, 1, 'doctor')",
    ),
)

ATTEMPTS = (*_OWNER_MAY, *_OWNER_MAY_NOT, *_STRANGER_MAY_NOT, *_ANON_MAY_NOT, *_SERVICE)
"""Each attempt is rolled back before the next one."""
