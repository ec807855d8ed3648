"""Every refusal that a signed-in user can meet: its class, words, code and details.

All of them act on one world, which none of them may change. Those of people without a valid
session are in `test_every_operation.py`, those that are known before anything is sent in
`tests/http/test_bad_input.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from training_versions import (
    ConflictError,
    DatabaseError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    UnavailableError,
)

Rows = Callable[..., list[dict[str, Any]]]
NOBODYS = UUID("00000000-0000-4000-8000-000000000000")


class World:
    """Ada has versions in every state, Bob has one of his own; each name is an identifier."""

    def __init__(self, ada: Any, bob: Any, admin: Any, rows: Rows) -> None:
        self.ada, self.bob, self.admin = ada, bob, admin
        package = ada.package("support-bot")
        self.package = package.id
        self.archived, self.published, self.draft, self.parent = (
            ada.draft(package).id for _ in range(4)
        )
        ada.versions.publish(self.archived)
        ada.versions.archive(self.archived)
        ada.versions.publish(self.published)
        self.read = ada.versions.get(self.draft).updated_at
        self.now = ada.versions.update_draft(self.draft, change_summary="edited").updated_at
        self.child = ada.draft(package, parent_version_id=self.draft).id
        self.grandchild = ada.draft(package, parent_version_id=self.child).id
        ada.published(package, parent_version_id=self.parent)
        self.deleted = ada.draft(package).id
        ada.versions.delete_draft(self.deleted)
        self.drafts_only = ada.package("drafts only").id
        self.lender = ada.draft(self.drafts_only).id
        ada.published(package, parent_version_id=self.lender)
        self.bobs_package = bob.package("bob's").id
        self.bobs = bob.draft(self.bobs_package).id
        self.everything = lambda: rows(ada.id, bob.id)
        self.made = self.everything()


@pytest.fixture(scope="module")
def world(connect, stack, person, rows_of):
    return World(connect(person()), connect(person()), connect(stack.service_key), rows_of)


@dataclass(frozen=True)
class Refusal:
    """What a refusal says.

    `{key}` stands for what was acted on, any other name for what the world has of that name.
    """

    code: str | None
    message: str
    hint: str
    details: dict[str, Any] | None = None

    @property
    def kind(self) -> type[DatabaseError]:
        """The class that its code has."""
        return KINDS[self.code and self.code[:3]]

    def details_with(self, names: dict[str, Any]) -> dict[str, Any] | None:
        if self.details is None:
            return None
        details = dict(self.details)
        for key, value in details.items():
            if isinstance(value, str):
                details[key] = value.format_map(names)
        return details


KINDS: dict[str | None, type[DatabaseError]] = {
    None: NotFoundError,
    "TV1": NotFoundError,
    "TV2": ConflictError,
    "TV3": RejectedError,
    "425": PermissionDeniedError,
}


def not_found(what: str) -> Refusal:
    hint = "Check the identifier, and that the client is signed in as its owner."
    return Refusal(None, f"There is no {what}, or you may not see it.", hint)


def frozen(number: int, status: str, hint: str) -> Refusal:
    message = f"version {number} of 'support-bot' is {status}; its content never changes"
    details = {"version_id": "{key}", "version_number": number, "status": status}
    return Refusal("TV202", message, hint, details)


def in_state(number: int, status: str, message: str, hint: str) -> Refusal:
    details = {"version_id": "{key}", "version_number": number, "status": status}
    return Refusal("TV203", f"version {number} of 'support-bot' is {message}", hint, details)


def taken(by: str) -> Refusal:
    return Refusal(
        "TV204", f"the id {{key}} {by}", "Use a new id for something new.", {"id": "{key}"}
    )


def parent_of_published(message: str, details: dict[str, Any]) -> Refusal:
    return Refusal("TV308", message, "Keep it: a published version keeps its parent.", details)


OWNER_HINT = "Check the id, and that you are signed in as the user who created it."
NO_VERSION = Refusal(
    "TV101", "there is no version {key}, or it is not yours", OWNER_HINT, {"version_id": "{key}"}
)
NO_PACKAGE = Refusal(
    "TV102", "there is no package {key}, or it is not yours", OWNER_HINT, {"package_id": "{key}"}
)
NO_PARENT = Refusal(
    "TV103",
    "there is no version {key} that could be the parent",
    "The parent must be a version of the same user.",
    {"field": "parent_version_id"},
)
EDITED = Refusal(
    "TV201",
    "version 3 of 'support-bot' has changed since you read it",
    "Read it again, and repeat your change on what you find.",
    {"version_id": "{draft}", "expected_updated_at": "{read}", "updated_at": "{now}"},
)
CIRCLE = Refusal(
    "TV307",
    "version 3 of 'support-bot' would become its own ancestor",
    "Choose a parent that does not descend from it.",
    {"field": "parent_version_id"},
)
NEW_DRAFT = "Create a new draft from it."
TAKEN = taken("is another version's already")
TAKEN_PACKAGE = taken("is another package's already")


def identifier(world: World, which: str) -> UUID:
    return NOBODYS if which == "nobodys" else getattr(world, which)


# What ada does with a key, unless somebody else is named.


def get(world: World, key: UUID) -> Any:
    return world.ada.versions.get(key)


def get_ninety_nine(world: World, key: UUID) -> Any:
    return world.ada.versions.get_by_number(key, 99)


def get_package(world: World, key: UUID) -> Any:
    return world.ada.packages.get(key)


def update(world: World, key: UUID, **given: Any) -> Any:
    return world.ada.versions.update_draft(key, **{"config": {"r": 64}} | given)


def delete(world: World, key: UUID, **given: Any) -> Any:
    return world.ada.versions.delete_draft(key, **given)


def publish(world: World, key: UUID, **given: Any) -> Any:
    return world.ada.versions.publish(key, **given)


def archive(world: World, key: UUID) -> Any:
    return world.ada.versions.archive(key)


def next_number(world: World, key: UUID) -> Any:
    return world.ada.versions.next_version_number(key)


def create(world: World, key: UUID) -> Any:
    return world.ada.draft(key)


def update_package(world: World, key: UUID) -> Any:
    return world.ada.packages.update(key, name="mine now")


def delete_package(world: World, key: UUID) -> Any:
    return world.ada.packages.delete(key)


def create_under(world: World, key: UUID) -> Any:
    return world.ada.draft(world.package, parent_version_id=key)


def move_under(world: World, key: UUID) -> Any:
    return update(world, world.draft, parent_version_id=key)


def create_as(world: World, key: UUID) -> Any:
    return world.ada.draft(world.package, config={"r": 1}, version_id=key)


def create_package_as(world: World, key: UUID) -> Any:
    return world.ada.package(package_id=key)


def create_package_for_bob(world: World, key: UUID) -> Any:
    return world.ada.package(user_id=world.bob.id)


def service_creates_package(world: World, key: UUID) -> Any:
    return world.admin.package()


def service_creates_package_for(world: World, key: UUID) -> Any:
    return world.admin.package(user_id=key)


def stale(act: Callable[..., Any]) -> Callable[[World, UUID], Any]:
    """Act with the moment that was read before somebody edited."""

    def act_late(world: World, key: UUID) -> Any:
        return act(world, key, expected_updated_at=world.read)

    act_late.__name__ = f"stale_{act.__name__}"
    return act_late


REFUSALS: list[tuple[Callable[[World, UUID], Any], str, Refusal]] = [
    # There is no such thing, or it is somebody else's: the same words give nothing away.
    *(
        (act, which, NO_VERSION)
        for act in (update, delete, publish, archive)
        for which in ("nobodys", "bobs", "package")
    ),
    *((act, "deleted", NO_VERSION) for act in (update, publish, archive)),
    *(
        (act, which, NO_PACKAGE)
        for act in (next_number, create, update_package, delete_package)
        for which in ("nobodys", "bobs_package", "draft")
    ),
    *(
        (act, which, NO_PARENT)
        for act in (create_under, move_under)
        for which in ("nobodys", "bobs", "package", "deleted")
    ),
    (get, "bobs", not_found("version {key}")),
    (get_package, "bobs_package", not_found("package {key}")),
    *(
        (get_ninety_nine, which, not_found("version 99 of package {key}"))
        for which in ("package", "bobs_package")
    ),
    # Somebody was faster, or it is in another state.
    *((stale(act), "draft", EDITED) for act in (update, delete, publish)),
    (update, "published", frozen(2, "published", NEW_DRAFT)),
    (update, "archived", frozen(1, "archived", NEW_DRAFT)),
    (delete, "published", frozen(2, "published", "Archive it instead.")),
    (
        delete,
        "archived",
        frozen(1, "archived", "Keep it: archived versions are part of the history."),
    ),
    (
        publish,
        "archived",
        in_state(1, "archived", "archived and cannot be published again", NEW_DRAFT),
    ),
    (
        archive,
        "draft",
        in_state(3, "draft", "a draft and cannot be archived", "Publish it first, or delete it."),
    ),
    # The identifier names something else.
    *((create_as, which, TAKEN) for which in ("child", "lender", "bobs")),
    (create_as, "deleted", taken("was a draft's that is deleted")),
    *((create_package_as, which, TAKEN_PACKAGE) for which in ("package", "bobs_package")),
    # A rule forbids it.
    *((move_under, which, CIRCLE) for which in ("draft", "child", "grandchild")),
    (
        delete_package,
        "package",
        Refusal(
            "TV304",
            "the package has published or archived versions and cannot be deleted",
            "Archive its versions instead; only the service role deletes a package with history.",
            {"package_id": "{key}"},
        ),
    ),
    (
        delete,
        "parent",
        parent_of_published(
            "version 4 of 'support-bot' is the parent of a published version",
            {"version_id": "{key}", "version_number": 4},
        ),
    ),
    (
        delete_package,
        "drafts_only",
        parent_of_published(
            "a draft of the package is the parent of a published version in another package",
            {"package_id": "{key}"},
        ),
    ),
    (
        create_package_for_bob,
        "package",
        Refusal(
            "42501",
            "user_id must be the user who creates",
            "Leave user_id out.",
            {"field": "user_id"},
        ),
    ),
    (
        service_creates_package,
        "package",
        Refusal(
            "TV306",
            "user_id must say whose package it is",
            "The service role acts for nobody in particular: pass the owner's user_id.",
            {"field": "user_id"},
        ),
    ),
    (
        service_creates_package_for,
        "nobodys",
        Refusal(
            "TV306",
            "there is no user {key}",
            "Check the id; users are in auth.users.",
            {"field": "user_id"},
        ),
    ),
]


@pytest.mark.parametrize(
    ("act", "which", "refusal"),
    REFUSALS,
    ids=[f"{act.__name__} {which}" for act, which, _ in REFUSALS],
)
def test_a_refusal_says_what_happened_and_what_to_do_and_changes_nothing(
    world, act, which, refusal, survives_pickle
):
    key = identifier(world, which)

    with pytest.raises(DatabaseError) as caught:
        act(world, key)

    error = caught.value
    names = {**vars(world), "key": key}
    assert (type(error), error.code) == (refusal.kind, refusal.code)
    assert (error.message, error.hint) == (refusal.message.format_map(names), refusal.hint)
    assert moments(error.details) == moments(refusal.details_with(names))
    assert str(error) == f"{error.message}\nHint: {error.hint}"
    survives_pickle(error)
    assert world.everything() == world.made


def moments(details: Any) -> Any:
    """Details with moments in place of their text."""
    if not isinstance(details, dict):
        return details
    read = dict(details)
    for key, value in details.items():
        if key.endswith("updated_at"):
            read[key] = datetime.fromisoformat(value)
    return read


def test_an_error_names_the_operation_and_keeps_its_cause(world):
    with pytest.raises(NotFoundError) as refused:
        world.ada.versions.publish(NOBODYS)
    with pytest.raises(NotFoundError) as missing:
        world.ada.packages.get(NOBODYS)

    assert (refused.value.operation, missing.value.operation) == (
        "versions.publish",
        "packages.get",
    )
    assert type(refused.value.__cause__).__name__ == "APIError"


def test_an_identifier_of_a_deleted_package_is_refused(ada, refused):
    mine = ada.package().id
    ada.packages.delete(mine)

    # Otherwise a repeated create that comes late would bring back what was deleted.
    refused("TV204", ada.package, package_id=mine)


WAITING = """
select count({do}(pid)) from pg_stat_activity
where usename = 'authenticator' and wait_event_type = 'Lock' and query like '%training_package%'
"""


@pytest.fixture
def strike(stack, package, sql):
    """Holds a lock on the package, and does something to the statement that waits for it."""
    with psycopg.connect(stack.db_url) as holder:
        locks = "select 1 from public.training_configs where id = %s for update"
        holder.execute(locks, [package.id])

        def do_to_what_waits(do: str) -> None:
            for _ in range(400):
                if sql(WAITING.format(do=do), admin=True) != [(0,)]:
                    holder.rollback()
                    return
                time.sleep(0.01)
            raise AssertionError("no statement waits")

        yield do_to_what_waits


def test_a_statement_that_the_database_cancels_is_sent_again(ada, package, strike):
    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(ada.packages.update, package.id, name="renamed")
        strike("pg_cancel_backend")
        renamed = outcome.result()

    assert renamed == package.model_copy(update={"name": "renamed"})
    assert ada.paths.count("rpc/update_training_package") == 2


def test_a_statement_that_the_database_cancels_has_changed_nothing(
    connect, ada, package, strike, survives_pickle
):
    impatient = connect(ada, retry_pauses=())

    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(impatient.packages.update, package.id, name="renamed")
        strike("pg_cancel_backend")
        error = outcome.exception()

    assert isinstance(error, UnavailableError)
    assert (error.code, error.hint) == ("57014", "Try again in a moment.")
    survives_pickle(error)
    assert ada.packages.get(package.id) == package


def test_a_write_whose_database_connection_breaks_is_sent_again(ada, package, strike):
    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(ada.packages.update, package.id, name="renamed")
        strike("pg_terminate_backend")
        renamed = outcome.result()

    assert renamed == package.model_copy(update={"name": "renamed"})
    assert ada.packages.get(package.id) == renamed
    assert ada.paths.count("rpc/update_training_package") == 2
