"""Run the examination: choose the checks that the arguments allow, and run them in order.

Modules that need psycopg are imported inside functions, because the checks of the API work without
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING

from training_versions import InvalidInputError
from training_versions.doctor.report import Finding, NotDone, Report

if TYPE_CHECKING:
    from training_versions.doctor.database import Connection

_DATABASE = ("migrations", "objects", "settings", "rows", "rights")
_NEEDS_DATABASE = "it needs the address of the database (db_url, or SUPABASE_DB_URL)"
_NEEDS_API = "it needs the address of the project and a key (url and key)"


def examine(*, db_url: str | None = None, url: str | None = None, key: str | None = None) -> Report:
    """Examine a project and report its problems. Nothing is changed.

    An unreachable project is reported as a finding; no exception is raised.

    Args:
        db_url: The address of the database, `postgresql://…`, as the role `postgres`. Without it
            most checks cannot be done; the report names them.
        url: The address of the project, `https://….supabase.co`, to check its REST API.
        key: A key of the project, publishable or secret.

    Raises:
        InvalidInputError: Neither `db_url` nor both `url` and `key` are given, or one of them is
            malformed, or `db_url` is given and psycopg is not installed.

    Example:
        >>> report = examine(db_url="postgresql://postgres:…@db.example.supabase.co:5432/postgres")
        >>> report.exit_status
        0
    """
    _check_given(db_url, url, key)
    began = monotonic()
    examination = Examination()
    if db_url is None:
        examination.skip(_DATABASE, _NEEDS_DATABASE)
    else:
        _examine_database(examination, db_url)
    if url is None or key is None:
        examination.skip(["api", "row cap"], _NEEDS_API)
    else:
        _examine_api(examination, url, key)
    return examination.report(monotonic() - began)


def _check_given(db_url: str | None, url: str | None, key: str | None) -> None:
    given = {"db_url": db_url, "url": url, "key": key}
    for name, value in given.items():
        if value is not None and (not isinstance(value, str) or not value.strip()):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
            raise InvalidInputError(f"{name} must be text that is not blank", field=name)
    if db_url is None and (url is None or key is None):
        missing = "db_url"
        if url is not None:
            missing = "key"
        if key is not None:
            missing = "url"
        raise InvalidInputError(
            "the doctor needs db_url, or url and key",
            field=missing,
            hint="Pass the address of the database (postgresql://…) for all checks.",
        )


class Examination:
    """The findings so far, and the groups of checks that were done or skipped."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.done: list[str] = []
        self.not_done: list[NotDone] = []
        self.has_objects: bool | None = None
        """Whether the database has the objects of this release; None if unknown."""

    def add(self, check: str, findings: Iterable[Finding]) -> None:
        """Run a group of checks, and add its findings."""
        # Add all findings or none, because the iterator may raise halfway.
        self.findings += list(findings)
        self.done.append(check)

    def skip(self, checks: Iterable[str], why: str) -> None:
        """Record groups of checks that cannot be done."""
        self.not_done += [NotDone(check, why) for check in checks]

    def report(self, seconds: float) -> Report:
        """Return the report, errors first."""
        in_order = sorted(self.findings, key=lambda finding: finding.level != "error")
        return Report(tuple(in_order), tuple(self.done), tuple(self.not_done), seconds)


def _examine_database(examination: Examination, db_url: str) -> None:
    try:
        import psycopg
    except ImportError as exc:
        raise InvalidInputError(
            "db_url needs psycopg, which is not installed",
            field="db_url",
            hint="pip install 'training-versions[doctor]'",
        ) from exc
    from training_versions.doctor.database import connect, connection_refused

    try:
        connection = connect(db_url)
    except psycopg.Error as exc:
        examination.findings.append(connection_refused(exc, db_url))
        examination.skip(_DATABASE, "there is no connection to the database")
        return
    with connection:
        examine_connected(examination, connection)


def examine_connected(examination: Examination, connection: Connection) -> None:
    """Run the checks that need a connection to the database."""
    from training_versions.doctor.database import read_only

    with read_only(connection):
        if not _can_be_examined(examination, connection):
            return
        if not _examine_schema(examination, connection):
            return
    _examine_rows(examination, connection)
    _try_rights(examination, connection)


def _can_be_examined(examination: Examination, connection: Connection) -> bool:
    """Return whether this is the database of a Supabase project, and every row can be read."""
    from training_versions.doctor.database import missing_essentials, unreadable
    from training_versions.doctor.kinds import finding

    missing = missing_essentials(connection)
    if missing:
        what = f"There is no {', no '.join(missing)}."
        fix = "Take the address of a Supabase project, or make what is missing."
        examination.findings.append(finding("not-supabase", "database", what, fix))
        examination.skip(_DATABASE, "this is not the database of a Supabase project")
        return False
    cannot_read = unreadable(connection)
    if cannot_read is not None:
        examination.findings.append(cannot_read)
        examination.skip(_DATABASE, cannot_read.what)
        return False
    return True


def _examine_schema(examination: Examination, connection: Connection) -> bool:
    """Examine migrations, objects and settings; return whether to go on with rows and rights."""
    from training_versions.doctor.applied import examine_history, nothing_there, read_history
    from training_versions.doctor.database import read_catalog
    from training_versions.doctor.objects import compare
    from training_versions.doctor.settings import examine_settings

    history = read_history(connection)
    nothing = nothing_there(history)
    if nothing is not None:
        examination.has_objects = False
        examination.add("migrations", [nothing])
        examination.add("settings", examine_settings(connection))
        examination.skip(["objects", "rows", "rights"], "the migrations are not applied")
        return False
    objects = list(compare(read_catalog(connection)))
    is_whole = not any(found.id.endswith("-missing") for found in objects)
    examination.add("migrations", examine_history(history, is_whole=is_whole))
    if history.missing and history.is_there and not is_whole:
        # Objects from the missing migrations are missing, and objects that they change are old.
        examination.add("settings", examine_settings(connection))
        examination.skip(["objects", "rows", "rights"], "migrations are missing")
        return False
    examination.has_objects = is_whole
    examination.add("objects", objects)
    examination.add("settings", examine_settings(connection))
    return True


def _examine_rows(examination: Examination, connection: Connection) -> None:
    import psycopg

    from training_versions.doctor.database import read_only
    from training_versions.doctor.rows import examine_rows

    try:
        with read_only(connection):
            examination.add("rows", examine_rows(connection))
    except psycopg.Error as exc:
        examination.skip(["rows"], f"reading them failed: {_first_line(exc)}")


def _try_rights(examination: Examination, connection: Connection) -> None:
    import psycopg

    from training_versions.doctor.database import rolled_back
    from training_versions.doctor.rights import CannotTryError, examine_rights

    try:
        with rolled_back(connection):
            examination.add("rights", examine_rights(connection))
    except CannotTryError as exc:
        examination.skip(["rights"], str(exc))
    except psycopg.Error as exc:
        examination.skip(["rights"], f"trying them failed: {_first_line(exc)}")


def _first_line(exc: Exception) -> str:
    return str(exc).partition("\n")[0]


def _examine_api(examination: Examination, url: str, key: str) -> None:
    from training_versions.doctor.api import Api, CannotCountError

    with Api(url, key, has_objects=examination.has_objects) as api:
        examination.add("api", api.examine())
        try:
            examination.add("row cap", api.examine_row_cap())
        except CannotCountError as exc:
            examination.skip(["row cap"], str(exc))
