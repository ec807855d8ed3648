"""What each operation sends, and how its reply is read: no client is imported here and nothing is awaited.

`PackageCalls` and `VersionCalls` have a method for each method of the repositories, with the same name; the types of
arguments are said there. A write is an `Rpc`: one database function, one transaction. A read is a `Select`. The rules
are kept by the database; here is only what can be known before sending.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from training_versions import errors, models
from training_versions.errors import InvalidInputError
from training_versions.models import C, D, Id, M, Package, Page, Unset, Version, VersionSummary
from training_versions.snapshots.codec import Codec, check_text

T = TypeVar("T")
R = TypeVar("R", bound=BaseModel)
Filter = tuple[str, str, str]  # column, operator, value; or "or", "", alternatives
Rows = list[Any]

PACKAGES: Final = "training_configs"
VERSIONS: Final = "training_package_versions"
SUMMARY: Final = tuple(VersionSummary.model_fields)
WHOLE: Final = tuple(Version.model_fields)
MOST_COST: Final = Decimal("99999999.99")
LONGEST: Final = {
    **{
        "name": 255,
        "template_type": 100,
        "change_summary": 10_000,
        "reason": 10_000,
        "note": 1000,
        "key": 255,
    },
    **{"url": 2000, "deployment_id": 255, "text": 500},  # text travels in the URL
}
MOST_ROWS: Final = 1_000_000  # asked for at once; servers cap far below
MOST_QUERY: Final = 40_000  # bytes of containment filters in a URL, of the 65,536 that httpx sends
UUID_TEXT: Final = re.compile(
    r"(?:urn:uuid:)?(\{)?[0-9a-f]{8}(-?)[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}(?(1)\})",
    re.ASCII | re.IGNORECASE,
)
UNDONE: Final = (
    "40001",
    "40P01",
)  # two transactions stood in each other's way, and this one was taken back whole
CLEARABLE: Final = {"change_summary", "parent_version_id", "estimated_cost", "budget_limit"}


@dataclass(frozen=True)
class Rpc(Generic[T]):
    """A function to call, and how to read what it returns; a write, or a read that no select can express."""

    operation: str
    function: str
    params: dict[str, Any]
    read: Callable[[object], T]
    again: str = "Make the same call again: made twice, it has the effect of one."
    columns: tuple[str, ...] = ()
    """Which columns of the row that it returns to ask for; all if left out."""
    write: bool = True


@dataclass(frozen=True)
class Done(Generic[T]):
    """What a read found."""

    value: T


@dataclass(frozen=True)
class Select(Generic[T]):
    """A read: the rows to ask for, and how to read them; that may take one more `Select`."""

    operation: str
    table: str
    columns: tuple[str, ...]
    filters: tuple[Filter, ...]
    read: Callable[[Rows, int | None], Done[T] | Select[T]]
    order: tuple[str, ...] = ()
    descending: bool = False
    limit: int = 1
    count: bool = False


@dataclass(frozen=True)
class Walk(Generic[T]):
    """Some items, and the read that goes on from there: `None` when there is nothing more."""

    items: list[T]
    rest: Select[Walk[T]] | None


@dataclass
class Attempts:
    """The tries of one call: after each failure, whether and when to send it again."""

    call: Rpc[Any]
    pauses: Sequence[float]
    lost: Exception | None = None
    made: int = 0

    def pause_after(self, exc: Exception, headers: Mapping[str, str]) -> float:
        """Return the seconds to wait before sending the same again, or raise what the user is to see."""
        error = errors.translate(exc, self.call.operation, headers, write=self.call.write)
        undone = getattr(error, "code", None) in UNDONE
        answered = (
            isinstance(error, errors.NotFoundError | errors.ConflictError | errors.RejectedError)
            and not undone
        )
        if self.lost is not None and answered and self.call.write:
            error.add_note(
                "The reply to an earlier try of this call was lost; that try may have been carried out."
            )
        if answered or not (undone or self.lost or errors.is_lost(exc)):
            raise error from exc
        self.lost = exc if errors.is_lost(exc) else self.lost
        if self.made == len(self.pauses):
            if self.lost is not None:
                error = errors.translate(
                    self.lost, self.call.operation, headers, write=self.call.write
                )
                error.hint = self.call.again if self.call.write else error.hint
            raise error from exc
        self.made += 1
        return self.pauses[self.made - 1]


def check_client(client: object, kind: type, repository: str) -> None:
    """Refuse what is no client, and a client of the other face, before the first call fails on it."""
    schema = getattr(client, "schema", None)
    made = schema("public") if callable(schema) else client
    if not isinstance(made, kind):
        raise InvalidInputError(
            f"{repository} needs a supabase client that works with {kind.__name__}, not {type(made).__name__}.",
            field="client",
            hint="Async clients go with AsyncVersionRepository and AsyncPackageRepository, others with their twins.",
        )


def check_pauses(pauses: Sequence[float]) -> tuple[float, ...]:
    """Return the pauses between repeats if they are seconds."""
    try:
        if all(0 <= pause < float("inf") for pause in pauses):
            return tuple(pauses)
    except TypeError:
        pass  # as any other mistake
    raise InvalidInputError(
        "retry_pauses must be a sequence of seconds, each 0 or more.", field="retry_pauses"
    )


def read_reply(call: Rpc[T], reply: object) -> T:
    """Read what a function returned."""
    try:
        return call.read(reply)
    except ValueError as exc:
        raise unreadable(call.operation, reply, exc, write=call.write) from exc


def read_rows(select: Select[T], rows: object, count: int | None) -> Done[T] | Select[T]:
    """Read the rows that came: the answer, or what to ask next."""
    try:
        if not isinstance(rows, list):
            raise ValueError("it is not an array of rows")
        return select.read(cast("Rows", rows), count)
    except ValueError as exc:
        raise unreadable(select.operation, cast("object", rows), exc) from exc


def unreadable(
    operation: str, reply: object, exc: Exception, *, write: bool = False
) -> errors.UnreadableReplyError:
    """Make the error for a reply that says success and is not what was asked for."""
    rows = cast("list[object]", reply) if isinstance(reply, list) else [reply]
    row = rows[0] if rows else None
    if (
        isinstance(row, dict) and {"id", "created_at"} <= row.keys()
    ):  # it is the database that answered
        about = (
            f"{operation} was carried out, but its reply" if write else f"What {operation} found"
        )
        hint = "See .reply; where types do not fit what is stored, use a repository without types, or store what fits."
    else:
        about, hint = f"The reply to {operation}", "See .reply: something in between answered."
    return errors.UnreadableReplyError(
        f"{about} cannot be read: {problem_of(exc)}.",
        reply=cast("object", reply),
        operation=operation,
        hint=hint,
    )


class PackageCalls:
    """The operations of `PackageRepository`."""

    config: Codec[object] = Codec("config", "config_json")

    def create(
        self, name: str, *, package_id: Id | None, user_id: Id | None, **given: object
    ) -> Rpc[Package]:
        params = optional(package_id=or_new(package_id), user_id=user_id)
        params |= {
            f"p_{column}": value
            for column, value in _changes({"name": name, **given}, self.config).items()
        }
        again = again_with(package_id=params["p_package_id"])
        return Rpc("packages.create", "create_training_package", params, _package, again)

    def update(self, package_id: Id, **named: object) -> Rpc[Package]:
        params = {
            "p_package_id": as_uuid(package_id, "package_id"),
            "p_changes": _changes(named, self.config),
        }
        return Rpc("packages.update", "update_training_package", params, _package)

    def delete(self, package_id: Id) -> Rpc[None]:
        params = {"p_package_id": as_uuid(package_id, "package_id")}
        return Rpc("packages.delete", "delete_training_package", params, _nothing)

    def get(self, package_id: Id) -> Select[Package]:
        return _one("packages.get", self.find(package_id), f"package {package_id}")

    def find(self, package_id: Id) -> Select[Package | None]:
        return first_of(
            "packages.find",
            PACKAGES,
            ("*",),
            (("id", "eq", as_uuid(package_id, "package_id")),),
            _package,
        )

    def list(
        self, *, limit: int, cursor: str | None, filters: models.PackageFilters
    ) -> Select[Page[Package]]:
        return self._listing("packages.list", filters, as_size(limit, "limit")).page(cursor)

    def iterate(self, *, page_size: int, filters: models.PackageFilters) -> Select[Walk[Package]]:
        return self._listing("packages.iterate", filters, as_size(page_size, "page_size")).walk()

    def _listing(
        self, operation: str, filters: models.PackageFilters, limit: int
    ) -> Listing[Package]:
        _known(filters, models.PackageFilters)
        found = _search(filters.get("text"), "name")
        if (template_type := filters.get("template_type")) is not None:
            found.append(("template_type", "eq", as_text(template_type, "template_type")))
        # All columns and the key `id`, because the table may be older than this project and have little else.
        return Listing(operation, PACKAGES, ("*",), tuple(found), ("id",), False, limit, _package)


@dataclass(frozen=True)
class VersionCalls(Generic[C, M, D]):
    """The operations of `VersionRepository`."""

    config: Codec[C]
    model: Codec[M]
    dataset: Codec[D]

    def next_version_number(self, package_id: Id) -> Rpc[int]:
        params = {"p_package_id": as_uuid(package_id, "package_id")}
        return Rpc(
            "versions.next_version_number", "get_next_version_number", params, _integer, write=False
        )

    def create_draft(
        self, package_id: Id, *, version_id: Id | None, name: str | None, **given: object
    ) -> Rpc[Version[C, M, D]]:
        changes = _changes(given, self.config, self.model, self.dataset)
        params = {f"p_{column}": value for column, value in changes.items() if value is not None}
        params |= optional(version_id=or_new(version_id), name=name) | {
            "p_package_id": as_uuid(package_id, "package_id")
        }
        again = again_with(version_id=params["p_version_id"])
        return Rpc("versions.create_draft", "create_training_draft", params, self._version, again)

    def update_draft(
        self, version_id: Id, *, expected_updated_at: datetime | None, **named: object
    ) -> Rpc[Version[C, M, D]]:
        params = optional(expected_updated_at=expected_updated_at) | {
            "p_version_id": as_uuid(version_id, "version_id")
        }
        params["p_changes"] = _changes(named, self.config, self.model, self.dataset)
        return Rpc("versions.update_draft", "update_training_draft", params, self._version)

    def delete_draft(self, version_id: Id, *, expected_updated_at: datetime | None) -> Rpc[None]:
        params = optional(expected_updated_at=expected_updated_at) | {
            "p_version_id": as_uuid(version_id, "version_id")
        }
        return Rpc("versions.delete_draft", "delete_training_draft", params, _nothing)

    def publish(self, version_id: Id, **given: object) -> Rpc[Version[C, M, D]]:
        params = optional(**given) | {"p_version_id": as_uuid(version_id, "version_id")}
        return Rpc("versions.publish", "publish_training_version", params, self._version)

    def archive(self, version_id: Id) -> Rpc[Version[C, M, D]]:
        params = {"p_version_id": as_uuid(version_id, "version_id")}
        return Rpc("versions.archive", "archive_training_version", params, self._version)

    def get(self, version_id: Id) -> Select[Version[C, M, D]]:
        return _one("versions.get", self.find(version_id), f"version {version_id}")

    def find(self, version_id: Id) -> Select[Version[C, M, D] | None]:
        return self._find("versions.find", ("id", "eq", as_uuid(version_id, "version_id")))

    def get_by_number(self, package_id: Id, version_number: int) -> Select[Version[C, M, D]]:
        number = (
            "version_number",
            "eq",
            str(as_size(version_number, "version_number", most=2**31 - 1)),
        )
        found = self._find("versions.get_by_number", of_package(package_id), number)
        return _one(found.operation, found, f"version {version_number} of package {package_id}")

    def latest_published(self, package_id: Id) -> Select[Version[C, M, D] | None]:
        return self._find(
            "versions.latest_published", of_package(package_id), ("status", "eq", "published")
        )

    def latest(self, package_id: Id) -> Select[Version[C, M, D] | None]:
        return self._find("versions.latest", of_package(package_id))

    def list(
        self, package_id: Id | None, snapshots: bool, options: models.ListOptions
    ) -> Select[Page[VersionSummary]]:
        _known(options, models.ListOptions)
        limit = as_size(options.get("limit", 50), "limit")
        return self._listing("versions.list", package_id, snapshots, options, limit).page(
            options.get("cursor")
        )

    def iterate(
        self, package_id: Id | None, snapshots: bool, options: models.IterateOptions
    ) -> Select[Walk[VersionSummary]]:
        _known(options, models.IterateOptions)
        limit = as_size(options.get("page_size", 200), "page_size")
        return self._listing("versions.iterate", package_id, snapshots, options, limit).walk()

    def count(self, package_id: Id | None, filters: models.VersionFilters) -> Select[int]:
        _known(filters, models.VersionFilters)
        found = _version_filters(package_id, filters)
        return Select(
            "versions.count",
            VERSIONS,
            ("id",),
            found,
            lambda _, count: Done(_integer(count)),
            count=True,
        )

    def _find(self, operation: str, *filters: Filter) -> Select[Version[C, M, D] | None]:
        """Find one version; of several, the one with the highest number."""
        select = first_of(operation, VERSIONS, WHOLE, filters, self._version)
        return replace(select, order=("version_number",), descending=True)

    def _listing(
        self,
        operation: str,
        package_id: Id | None,
        snapshots: bool,
        options: models.ListOptions | models.IterateOptions,
        limit: int,
    ) -> Listing[VersionSummary]:
        newest_first = is_newest_first(options.get("order", "newest"))
        found = _version_filters(package_id, options)
        key = ("created_at", "id") if package_id is None else ("version_number",)
        columns, parse = (WHOLE, self._version) if snapshots else (SUMMARY, summary_of)
        return Listing(operation, VERSIONS, columns, found, key, newest_first, limit, parse)

    def _version(self, reply: object) -> Version[C, M, D]:
        row = dict(row_of(reply))
        for codec in (self.config, self.model, self.dataset):
            try:
                row[codec.column] = codec.read(row.get(codec.column))
            except ValueError as exc:
                which = f"version {row.get('id')} (number {row.get('version_number')})"
                raise ValueError(
                    f"in {which}, {codec.column} does not fit its type: {problem_of(exc)}"
                ) from exc
        return cast("Version[C, M, D]", Version.model_validate(row))


@dataclass(frozen=True)
class Listing(Generic[R]):
    """Rows in the order of a key that is unique, so that a walk neither skips nor repeats whatever others write."""

    operation: str
    table: str
    columns: tuple[str, ...]
    filters: tuple[Filter, ...]
    key: tuple[str, ...]
    descending: bool
    limit: int
    parse: Callable[[object], R]

    def page(self, cursor: str | None) -> Select[Page[R]]:
        def read(rows: Rows, count: int | None) -> Done[Page[R]] | Select[Page[R]]:
            items = [self.parse(row) for row in rows[: self.limit]]
            end = Done(_page(items, None))
            if not items:
                return end
            last = self._key_of(items[-1])
            more = Done(_page(items, self._cursor(last)))
            if len(rows) > self.limit:
                return more
            # Servers cap replies silently, so a short page proves nothing: ask whether anything lies beyond it.
            return self._select(last, 1, ("id",), lambda beyond, _: more if beyond else end)

        return self._select(self._start(cursor), self.limit + 1, self.columns, read)

    def walk(self, start: tuple[str, ...] = ()) -> Select[Walk[R]]:
        def read(rows: Rows, count: int | None) -> Done[Walk[R]]:
            items = [self.parse(row) for row in rows]
            return Done(Walk(items, self.walk(self._key_of(items[-1])) if items else None))

        return self._select(start, self.limit, self.columns, read)

    def _select(
        self,
        start: tuple[str, ...],
        limit: int,
        columns: tuple[str, ...],
        read: Callable[[Rows, int | None], Done[T] | Select[T]],
    ) -> Select[T]:
        beyond, filters = "lt" if self.descending else "gt", self.filters
        if len(start) == 1:
            filters += ((self.key[0], beyond, start[0]),)
        elif start:  # the first condition alone is a range of an index, the second makes it exact
            (first, second), (high, low) = self.key, start
            filters += (
                (first, f"{beyond}e", high),
                ("or", "", f'{first}.{beyond}."{high}",{second}.{beyond}.{low}'),
            )
        rows = min(limit, MOST_ROWS)
        return Select(
            self.operation, self.table, columns, filters, read, self.key, self.descending, rows
        )

    def _key_of(self, item: R) -> tuple[str, ...]:
        values = (getattr(item, column) for column in self.key)
        return tuple(
            _moment(value) if isinstance(value, datetime) else str(value) for value in values
        )

    def _cursor(self, key: tuple[str, ...]) -> str:
        of = json.dumps([self.operation, self.filters, self.key, self.descending, key])
        fingerprint = hashlib.sha256(of.encode()).hexdigest()[:12]
        return (
            base64.urlsafe_b64encode(json.dumps([*key, fingerprint]).encode()).decode().rstrip("=")
        )

    def _start(self, cursor: str | None) -> tuple[str, ...]:
        if cursor is None:
            return ()
        try:
            key = tuple(
                json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[:-1]
            )
            if key and self._cursor(key) == cursor:
                return key
        except (ValueError, TypeError, KeyError, RecursionError):
            pass
        raise InvalidInputError(
            f"cursor does not belong to this {self.operation}.",
            field="cursor",
            operation=self.operation,
            hint="Pass the next_cursor of a page of the same list: same package, filters and order.",
        )


def _page(items: list[R], next_cursor: str | None) -> Page[R]:
    # Not Page[R], whose instances would not survive pickle.
    return Page(items=items, next_cursor=next_cursor)


def first_of(
    operation: str,
    table: str,
    columns: tuple[str, ...],
    filters: tuple[Filter, ...],
    parse: Callable[[object], T],
) -> Select[T | None]:
    return Select(
        operation, table, columns, filters, lambda rows, _: Done(parse(rows[0]) if rows else None)
    )


def _one(operation: str, select: Select[T | None], what: str) -> Select[T]:
    def read(rows: Rows, count: int | None) -> Done[T]:
        if not rows:
            raise not_found(operation, what)
        return cast("Done[T]", select.read(rows, count))

    return Select(operation, select.table, select.columns, select.filters, read)


def not_found(operation: str, what: str) -> errors.NotFoundError:
    """Make the error for what a read did not find."""
    return errors.NotFoundError(
        f"There is no {what}, or you may not see it.",
        operation=operation,
        hint="Check the identifier, and that the client is signed in as its owner.",
    )


def of_package(package_id: Id) -> Filter:
    return ("package_id", "eq", as_uuid(package_id, "package_id"))


def _version_filters(package_id: Id | None, filters: models.VersionFilters) -> tuple[Filter, ...]:
    found: list[Filter] = [] if package_id is None else [of_package(package_id)]
    found += one_of(filters.get("status"), "status", models.VersionStatus)
    found += one_of(filters.get("training_status"), "training_status", models.TrainingStatus)
    if (deployed := cast("object", filters.get("deployed"))) is not None:
        if not isinstance(deployed, bool):
            raise InvalidInputError(
                f"deployed must be True or False, not {deployed!r}.", field="deployed"
            )
        found.append(("is_deployed", "is", str(deployed).lower()))
    if (parent := filters.get("parent_version_id")) is not None:
        found.append(("parent_version_id", "eq", as_uuid(parent, "parent_version_id")))
    for argument, operator in (("created_after", "gte"), ("created_before", "lt")):
        if (moment := filters.get(argument)) is not None:
            found.append(("created_at", operator, as_moment(moment, argument)))
    found += _search(filters.get("text"), "name", "change_summary")
    length = 0
    for argument in ("config_contains", "model_contains", "dataset_contains"):
        if (wanted := cast("object", filters.get(argument))) is not None:
            column, several = (
                argument.replace("contains", "snapshot"),
                argument == "dataset_contains",
            )
            entries = (
                [wanted]
                if several and not isinstance(wanted, list | tuple)
                else cast("object", wanted)
            )
            plain = Codec[object](argument, column, many=several).write(entries)
            found.append(
                (column, "cs", json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
            )
            length += len(quote(found[-1][2], safe=""))
            if length > MOST_QUERY:
                raise InvalidInputError(
                    f"{argument} is too long: it travels in the URL, where {MOST_QUERY:,} bytes is the most.",
                    field=argument,
                    hint="Name fewer keys: containment does not need the whole snapshot.",
                )
    return tuple(found)


def _search(text: str | None, *columns: str) -> list[Filter]:
    """Find literal text: `*` and `%` are special in PostgREST's `ilike`, so it is a regular expression, all escaped."""
    if text is None or text == "":
        return []
    literal = as_text(text, "text")
    regex = "".join(
        char if not char.isascii() or char.isalnum() else f"\\{char}" for char in literal
    )
    quoted = regex.replace("\\", "\\\\").replace('"', '\\"')
    return [("or", "", ",".join(f'{column}.imatch."{quoted}"' for column in columns))]


def one_of(wanted: object, argument: str, kind: type[StrEnum]) -> list[Filter]:
    if wanted is None:
        return []
    several = list(cast("Sequence[object]", wanted)) if is_several(wanted) else [wanted]
    known = [str(member) for member in kind]
    if not several or not all(isinstance(value, str) and value in known for value in several):
        raise InvalidInputError(
            f"{argument} must be one of {', '.join(known)}, not {wanted!r}.", field=argument
        )
    return [(argument, "in", f"({','.join(map(str, several))})")]


def is_several(value: object) -> bool:
    return isinstance(value, Sequence | Set) and not isinstance(value, str | bytes)


def is_newest_first(order: object) -> bool:
    if order not in ("newest", "oldest"):
        raise InvalidInputError(
            f"order must be 'newest' or 'oldest', not {order!r}.", field="order"
        )
    return order == "newest"


def _known(filters: Mapping[str, object], kind: type) -> None:
    for name in filters:
        if name not in kind.__annotations__:
            words = ", ".join(kind.__annotations__)
            raise InvalidInputError(f"There is no filter {name}; there are {words}.", field=name)


def _changes(named: dict[str, object], *codecs: Codec[Any]) -> dict[str, Any]:
    """Check all that is named, `UNSET` is not, and give each the name of its column."""
    by_argument, changes = {codec.field: codec for codec in codecs}, dict[str, Any]()
    for argument, value in named.items():
        if isinstance(value, Unset):
            continue
        if codec := by_argument.get(argument):
            changes[codec.column] = codec.write(value)
        else:
            changes[argument] = (
                None
                if value is None and argument in CLEARABLE
                else _CHECKS[argument](value, argument)
            )
    if not changes:
        raise InvalidInputError("There is nothing to change: name at least one field.")
    return changes


def optional(**given: object) -> dict[str, Any]:
    """Check all that is not `None`, and name it as the database function does."""
    return {
        f"p_{name}": _CHECKS[name](value, name)
        for name, value in given.items()
        if value is not None
    }


def again_with(**identifier: str) -> str:
    ((argument, value),) = identifier.items()
    return (
        f"Make the same call again with {argument}={value!r}: made twice, it has the effect of one."
    )


def as_uuid(value: object, argument: str) -> str:
    if isinstance(value, uuid.UUID):
        return str(value)
    # `uuid.UUID` alone would read signs, underscores and digits of other scripts.
    if not isinstance(value, str) or not UUID_TEXT.fullmatch(value):
        hint = "Pass its id." if isinstance(getattr(value, "id", None), uuid.UUID) else None
        raise InvalidInputError(
            f"{argument} must be a UUID, not {value!r:.80}.", field=argument, hint=hint
        )
    return str(uuid.UUID(value))


def or_new(identifier: Id | None) -> Id:
    """Make the identifier before the first try, so that its repeats have the effect of one."""
    return uuid.uuid4() if identifier is None else identifier


def as_text(value: object, argument: str) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(f"{argument} must be a string, not {value!r:.80}.", field=argument)
    if len(value) > LONGEST[argument]:
        why = f"has {len(value):,} characters, and {LONGEST[argument]:,} is the most"
        raise InvalidInputError(f"{argument} {why}.", field=argument)
    if argument != "change_summary" and argument != "text" and not value.strip():
        raise InvalidInputError(
            f"{argument} must not be {'blank' if value else 'empty'}.", field=argument
        )
    return check_text(value, argument, argument)


def as_cost(value: object, argument: str) -> int | float:
    try:
        if isinstance(value, bool) or not isinstance(value, Decimal | int | str | float):
            raise InvalidOperation
        cost = Decimal(repr(value) if isinstance(value, float) else value)
        if cost.is_finite() and 0 <= cost <= MOST_COST and cost == (cents := models.to_cents(cost)):
            return int(cents) if cents == int(cents) else float(cents)
    except (InvalidOperation, ValueError):
        pass
    words = f"0 to {MOST_COST:,} with at most two decimals"
    rounded = (
        isinstance(value, float | Decimal)
        and Decimal(value).is_finite()
        and 0 <= value <= MOST_COST
    )
    hint = "Round it: round(amount, 2), or compute with Decimal." if rounded else None
    raise InvalidInputError(
        f"{argument} must be {words}, not {value!r:.80}.", field=argument, hint=hint
    )


def as_moment(value: object, argument: str) -> str:
    if not isinstance(value, datetime):
        raise InvalidInputError(
            f"{argument} must be a datetime, not {value!r:.80}.", field=argument
        )
    if value.utcoffset() is None:
        raise InvalidInputError(
            f"{argument} must have a time zone, as datetime.now(UTC) has.", field=argument
        )
    try:
        return _moment(value)
    except OverflowError:
        raise InvalidInputError(
            f"{argument} is outside of the years 1 to 9999 in UTC.", field=argument
        ) from None


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def as_size(value: object, argument: str, most: int | None = None) -> int:
    if (
        isinstance(value, bool)
        or not isinstance(value, int)
        or value < 1
        or (most is not None and value > most)
    ):
        atmost = "or more" if most is None else f"to {most:,}"
        raise InvalidInputError(
            f"{argument} must be an integer of 1 {atmost}, not {value!r:.80}.", field=argument
        )
    return value


def row_of(reply: object) -> dict[str, Any]:
    if not isinstance(reply, dict):
        raise ValueError("it is not a row")
    return cast("dict[str, Any]", reply)


def _package(reply: object) -> Package:
    return Package.model_validate(row_of(reply))


def summary_of(reply: object) -> VersionSummary:
    return VersionSummary.model_validate(row_of(reply))


def _integer(reply: object) -> int:
    if isinstance(reply, bool) or not isinstance(reply, int):
        raise ValueError("it is not a number")
    return reply


def _nothing(reply: object) -> None:
    if reply not in (None, [], ""):
        raise ValueError("it should be empty")


def problem_of(exc: Exception) -> str:
    if isinstance(exc, ValidationError):
        first = exc.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'the value'}: {first['msg']}"
    return str(exc).rstrip(".")


_CHECKS: Final[dict[str, Callable[[Any, str], object]]] = {
    **dict.fromkeys(("name", "template_type", "change_summary"), as_text),
    **dict.fromkeys(("reason", "note", "key", "url", "deployment_id"), as_text),
    **dict.fromkeys(("package_id", "version_id", "parent_version_id", "user_id"), as_uuid),
    **dict.fromkeys(("new_version_id", "run_id", "stay_id", "entry_id", "call_id"), as_uuid),
    **dict.fromkeys(("estimated_cost", "budget_limit", "amount"), as_cost),
    "expected_updated_at": as_moment,
}
