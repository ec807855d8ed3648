"""Every refusal that a signed-in user or the service role can meet: its class, words, code and details.

All of them act on one world, which none of them may change. Those of people without a valid session are in
`test_sessions.py`, those that are known before sending in `test_bad_input.py`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from training_versions import (
    ConflictError,
    DatabaseError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    UnavailableError,
)
from training_versions.local import LocalStackError

Rows = Callable[..., list[dict[str, Any]]]
NOBODYS = UUID("00000000-0000-4000-8000-000000000000")
READ_HINT = "Check the identifier, and that the client is signed in as its owner."
VERSION_HINT = "Check the id, and that you are signed in as the user who created it."
PACKAGE_HINT = VERSION_HINT
DRAFT_HINT = "Create a new draft from it."
DELETE_HINTS = {"published": "Archive it instead.", "archived": "It stays: it is history."}


class World:
    """Ada has versions in every state, Bob has one of his own; each name is an identifier."""

    def __init__(self, ada: Any, bob: Any, admin: Any, snapshots: Any, rows: Rows) -> None:
        self.ada, self.bob, self.admin, self.snapshots = ada, bob, admin, snapshots
        package = ada.packages.create("support-bot", template_type="lora", config={"r": 8})
        self.package = package.id
        self.archived, self.published, self.draft, self.parent = (
            self._draft(package.id) for _ in range(4)
        )
        ada.versions.publish(self.archived)
        ada.versions.archive(self.archived)
        ada.versions.publish(self.published)
        self.read = ada.versions.get(self.draft).updated_at
        self.now = ada.versions.update_draft(self.draft, change_summary="edited").updated_at
        self.child = self._draft(package.id, parent_version_id=self.draft)
        self.grandchild = self._draft(package.id, parent_version_id=self.child)
        ada.versions.publish(self._draft(package.id, parent_version_id=self.parent))
        self.deleted = self._draft(package.id)
        ada.versions.delete_draft(self.deleted)
        self.drafts_only = ada.packages.create("drafts only", template_type="lora", config={}).id
        self.lender = self._draft(self.drafts_only)
        ada.versions.publish(self._draft(package.id, parent_version_id=self.lender))
        self.bobs_package = bob.packages.create("bob's", template_type="lora", config={}).id
        self.bobs = bob.versions.create_draft(self.bobs_package, **snapshots).id
        self.everything = lambda: rows(ada.id, bob.id)
        self.made = self.everything()

    def _draft(self, package_id: UUID, **more: Any) -> UUID:
        return self.ada.versions.create_draft(package_id, **self.snapshots, **more).id


@pytest.fixture(scope="module")
def world(connect: Any, stack: Any, snapshots: Any, person: Any, rows_of: Rows) -> World:
    return World(
        connect(person()), connect(person()), connect(stack.service_key), snapshots, rows_of
    )


@dataclass(frozen=True)
class Refusal:
    act: Callable[[World], Any]
    kind: type[DatabaseError]
    code: str | None
    message: str
    hint: str | None
    details: Callable[[World], Any] | None = None


def no_version(act: Callable[[World, Any], Any], which: str) -> Refusal:
    return Refusal(
        lambda world: act(world, identifier(world, which)),
        NotFoundError,
        "TV101",
        f"there is no version {{{which}}}, or it is not yours",
        VERSION_HINT,
        lambda world: {"version_id": str(identifier(world, which))},
    )


def no_package(act: Callable[[World, Any], Any], which: str) -> Refusal:
    return Refusal(
        lambda world: act(world, identifier(world, which)),
        NotFoundError,
        "TV102",
        f"there is no package {{{which}}}, or it is not yours",
        PACKAGE_HINT,
        lambda world: {"package_id": str(identifier(world, which))},
    )


def no_parent(act: Callable[[World, Any], Any], which: str) -> Refusal:
    return Refusal(
        lambda world: act(world, identifier(world, which)),
        NotFoundError,
        "TV103",
        f"there is no version {{{which}}} that could be the parent",
        "The parent must be a version of the same user.",
        lambda world: {"field": "parent_version_id"},
    )


def edited(act: Callable[[World], Any]) -> Refusal:
    return Refusal(
        act,
        ConflictError,
        "TV201",
        "draft 3 has changed since you read it",
        "Read it again, and repeat your change on what you find.",
        lambda world: {
            "version_id": str(world.draft),
            "expected_updated_at": world.read,
            "updated_at": world.now,
        },
    )


def frozen(act: Callable[[World, Any], Any], which: str) -> Refusal:
    number = {"archived": 1, "published": 2}[which]
    return Refusal(
        lambda world: act(world, identifier(world, which)),
        ConflictError,
        "TV202",
        f"version {number} is {which}; its content never changes",
        DELETE_HINTS[which] if act is delete else DRAFT_HINT,
        lambda world: {
            "version_id": str(getattr(world, which)),
            "version_number": number,
            "status": which,
        },
    )


def taken(act: Callable[[World, Any], Any], which: str, why: str) -> Refusal:
    return Refusal(
        lambda world: act(world, identifier(world, which)),
        ConflictError,
        "TV204",
        f"the id {{{which}}} {why}",
        "Use a new id for something new.",
        lambda world: {"id": str(identifier(world, which))},
    )


def circle(act: Callable[[World, Any], Any], which: str) -> Refusal:
    return Refusal(
        lambda world: act(world, identifier(world, which)),
        RejectedError,
        "TV307",
        "version 3 would become its own ancestor",
        "Choose a parent that does not descend from it.",
        lambda world: {"field": "parent_version_id"},
    )


def identifier(world: World, which: str) -> UUID:
    return NOBODYS if which == "nobodys" else getattr(world, which)


def update(world: World, key: Any) -> Any:
    return world.ada.versions.update_draft(key, config={"r": 64})


def delete(world: World, key: Any) -> Any:
    return world.ada.versions.delete_draft(key)


def publish(world: World, key: Any) -> Any:
    return world.ada.versions.publish(key)


def archive(world: World, key: Any) -> Any:
    return world.ada.versions.archive(key)


def next_number(world: World, key: Any) -> Any:
    return world.ada.versions.next_version_number(key)


def create(world: World, key: Any) -> Any:
    return world.ada.versions.create_draft(key, **world.snapshots)


def update_package(world: World, key: Any) -> Any:
    return world.ada.packages.update(key, name="mine now")


def delete_package(world: World, key: Any) -> Any:
    return world.ada.packages.delete(key)


def create_under(world: World, key: Any) -> Any:
    return world.ada.versions.create_draft(world.package, **world.snapshots, parent_version_id=key)


def move_under(world: World, key: Any) -> Any:
    return world.ada.versions.update_draft(world.draft, parent_version_id=key)


def create_as(world: World, key: Any) -> Any:
    return world.ada.versions.create_draft(
        world.package, config={"r": 1}, model={}, dataset=[], version_id=key
    )


def create_package_as(world: World, key: Any) -> Any:
    return world.ada.packages.create("other", template_type="lora", config={}, package_id=key)


STALE = {
    "update": lambda w: w.ada.versions.update_draft(
        w.draft, config={"r": 64}, expected_updated_at=w.read
    ),
    "delete": lambda w: w.ada.versions.delete_draft(w.draft, expected_updated_at=w.read),
    "publish": lambda w: w.ada.versions.publish(w.draft, expected_updated_at=w.read),
}

REFUSALS: dict[str, Refusal] = {
    # There is no such thing, or it is somebody else's: the same words, so that nothing is given away.
    **{
        f"{verb.__name__} {which}": no_version(verb, which)
        for verb in (update, delete, publish, archive)
        for which in ("nobodys", "bobs", "package")
    },
    **{
        f"{verb.__name__} deleted": no_version(verb, "deleted")
        for verb in (update, publish, archive)
    },
    **{
        f"{verb.__name__} {which}": no_package(verb, which)
        for verb in (next_number, create, update_package, delete_package)
        for which in ("nobodys", "bobs_package", "draft")
    },
    **{
        f"{verb.__name__} {which}": no_parent(verb, which)
        for verb in (create_under, move_under)
        for which in ("nobodys", "bobs", "package", "deleted")
    },
    "get": Refusal(
        lambda world: world.ada.versions.get(world.bobs),
        NotFoundError,
        None,
        "There is no version {bobs}, or you may not see it.",
        READ_HINT,
    ),
    "get by number": Refusal(
        lambda world: world.ada.versions.get_by_number(world.package, 99),
        NotFoundError,
        None,
        "There is no version 99 of package {package}, or you may not see it.",
        READ_HINT,
    ),
    "get by number of bob's": Refusal(
        lambda world: world.ada.versions.get_by_number(world.bobs_package, 1),
        NotFoundError,
        None,
        "There is no version 1 of package {bobs_package}, or you may not see it.",
        READ_HINT,
    ),
    "get a package": Refusal(
        lambda world: world.ada.packages.get(world.bobs_package),
        NotFoundError,
        None,
        "There is no package {bobs_package}, or you may not see it.",
        READ_HINT,
    ),
    # Somebody was faster, or it is in another state.
    **{f"{verb} what was edited since": edited(act) for verb, act in STALE.items()},
    **{
        f"{verb.__name__} {which}": frozen(verb, which)
        for verb in (update, delete)
        for which in ("published", "archived")
    },
    "publish archived": Refusal(
        lambda world: publish(world, world.archived),
        ConflictError,
        "TV203",
        "version 1 is archived and cannot be published again",
        DRAFT_HINT,
        lambda world: {
            "version_id": str(world.archived),
            "version_number": 1,
            "status": "archived",
        },
    ),
    "archive draft": Refusal(
        lambda world: archive(world, world.draft),
        ConflictError,
        "TV203",
        "version 3 is a draft and cannot be archived",
        "Publish it first, or delete it.",
        lambda world: {"version_id": str(world.draft), "version_number": 3, "status": "draft"},
    ),
    # The identifier names something else.
    "create as child": taken(create_as, "child", "is another version's already"),
    "create as deleted": taken(create_as, "deleted", "was a draft's that is deleted"),
    "create as a draft of another package": taken(
        create_as, "lender", "is another version's already"
    ),
    "create a package as package": taken(
        create_package_as, "package", "is another package's already"
    ),
    "create a package as bob's": taken(
        create_package_as, "bobs_package", "is another package's already"
    ),
    "create as bob's": taken(create_as, "bobs", "is another version's already"),
    # A rule forbids it.
    "delete a package with history": Refusal(
        lambda world: delete_package(world, world.package),
        RejectedError,
        "TV304",
        "the package has published or archived versions and cannot be deleted",
        "Archive its versions instead; only the service role deletes a package with history.",
        lambda world: {"package_id": str(world.package)},
    ),
    "move under itself": circle(move_under, "draft"),
    "move under its child": circle(move_under, "child"),
    "move under its grandchild": circle(move_under, "grandchild"),
    "delete the parent of a published version": Refusal(
        lambda world: delete(world, world.parent),
        RejectedError,
        "TV308",
        "draft 4 is the parent of a published version",
        "Keep it: a published version keeps its parent.",
        lambda world: {"version_id": str(world.parent), "version_number": 4},
    ),
    "delete the package of the parent of a published version": Refusal(
        lambda world: delete_package(world, world.drafts_only),
        RejectedError,
        "TV308",
        "a draft of the package is the parent of a published version in another package",
        "Keep it: a published version keeps its parent.",
        lambda world: {"package_id": str(world.drafts_only)},
    ),
    "create a package for bob": Refusal(
        lambda world: world.ada.packages.create(
            "x", template_type="lora", config={}, user_id=world.bob.id
        ),
        PermissionDeniedError,
        "42501",
        "user_id must be the user who creates",
        "Leave user_id out.",
        lambda world: {"field": "user_id"},
    ),
    # The service role.
    "service role: update nobody's": Refusal(
        lambda world: world.admin.versions.update_draft(NOBODYS, name="x"),
        NotFoundError,
        "TV101",
        "there is no version {nobodys}, or it is not yours",
        VERSION_HINT,
        lambda world: {"version_id": str(NOBODYS)},
    ),
    "service role: update published": Refusal(
        lambda world: world.admin.versions.update_draft(world.published, name="x"),
        ConflictError,
        "TV202",
        "version 2 is published; its content never changes",
        DRAFT_HINT,
        lambda world: {
            "version_id": str(world.published),
            "version_number": 2,
            "status": "published",
        },
    ),
    "service role: delete published": Refusal(
        lambda world: world.admin.versions.delete_draft(world.published),
        ConflictError,
        "TV202",
        "version 2 is published; its content never changes",
        DELETE_HINTS["published"],
        lambda world: {
            "version_id": str(world.published),
            "version_number": 2,
            "status": "published",
        },
    ),
    "service role: under bob's": Refusal(
        lambda world: world.admin.versions.update_draft(world.draft, parent_version_id=world.bobs),
        NotFoundError,
        "TV103",
        "there is no version {bobs} that could be the parent",
        "The parent must be a version of the same user.",
        lambda world: {"field": "parent_version_id"},
    ),
    "service role: a package for nobody": Refusal(
        lambda world: world.admin.packages.create("x", template_type="lora", config={}),
        RejectedError,
        "TV306",
        "user_id must say whose package it is",
        "The service role acts for nobody in particular: pass the owner's user_id.",
        lambda world: {"field": "user_id"},
    ),
    "service role: a package for a user who is not there": Refusal(
        lambda world: world.admin.packages.create(
            "x", template_type="lora", config={}, user_id=NOBODYS
        ),
        RejectedError,
        "TV306",
        "there is no user {nobodys}",
        "Check the id; users are in auth.users.",
        lambda world: {"field": "user_id"},
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_what_happened_and_what_to_do_and_changes_nothing(
    world: World, refusal: Refusal, survives_pickle: Any
) -> None:
    with pytest.raises(DatabaseError) as caught:
        refusal.act(world)

    error = caught.value
    names = {"nobodys": NOBODYS, **vars(world)}
    details = refusal.details and refusal.details(world)
    assert (type(error), error.code, error.message, error.hint, moments(error.details)) == (
        refusal.kind,
        refusal.code,
        refusal.message.format_map(names),
        refusal.hint,
        details,
    )
    assert str(error) == f"{error.message}\nHint: {error.hint}"
    survives_pickle(error)
    assert world.everything() == world.made


def moments(details: Any) -> Any:
    """Details with moments in place of their text."""
    if not isinstance(details, dict):
        return details
    return {
        key: datetime.fromisoformat(value) if key.endswith("updated_at") else value
        for key, value in details.items()
    }


def test_an_error_names_the_operation_and_keeps_its_cause(world: World) -> None:
    with pytest.raises(NotFoundError) as refused:
        world.ada.versions.publish(NOBODYS)
    with pytest.raises(NotFoundError) as missing:
        world.ada.packages.get(NOBODYS)

    assert (refused.value.operation, missing.value.operation) == (
        "versions.publish",
        "packages.get",
    )
    assert type(refused.value.__cause__).__name__ == "APIError"


def test_a_stranger_is_refused_every_operation_on_what_is_somebody_elses(world: World) -> None:
    bob = world.bob
    for act in (
        lambda: bob.packages.get(world.package),
        lambda: bob.packages.update(world.package, name="mine"),
        lambda: bob.packages.delete(world.package),
        lambda: bob.versions.next_version_number(world.package),
        lambda: bob.versions.create_draft(world.package, **world.snapshots),
        lambda: bob.versions.create_draft(
            world.bobs_package, **world.snapshots, parent_version_id=world.draft
        ),
        lambda: bob.versions.update_draft(world.draft, name="mine"),
        lambda: bob.versions.update_draft(world.bobs, parent_version_id=world.published),
        lambda: bob.versions.delete_draft(world.draft),
        lambda: bob.versions.delete_draft(world.deleted),
        lambda: bob.versions.publish(world.draft),
        lambda: bob.versions.archive(world.published),
        lambda: bob.versions.get(world.published),
        lambda: bob.versions.get_by_number(world.package, 2),
    ):
        with pytest.raises(NotFoundError):
            act()

    assert bob.packages.find(world.package) is None
    assert bob.versions.find(world.published) is None
    assert bob.versions.latest(world.package) is None
    assert bob.versions.latest_published(world.package) is None
    assert bob.versions.list(world.package).items == []
    assert list(bob.versions.iterate(world.package, snapshots=True)) == []
    assert bob.versions.count(world.package) == 0
    assert [version.id for version in bob.versions.iterate()] == [world.bobs]
    assert world.everything() == world.made


def test_the_service_role_sees_what_everybody_has(world: World) -> None:
    assert world.admin.versions.get(world.bobs) == world.bob.versions.get(world.bobs)
    assert world.admin.packages.get(world.package) == world.ada.packages.get(world.package)
    assert world.admin.versions.count(world.package) == world.ada.versions.count(world.package)


def test_an_identifier_of_a_deleted_package_is_refused(ada: Any) -> None:
    mine = uuid4()
    ada.packages.create("bot", template_type="lora", config={}, package_id=mine)
    ada.packages.delete(mine)

    # Otherwise a repeated create that comes late would bring back what was deleted.
    with pytest.raises(ConflictError) as caught:
        ada.packages.create("bot", template_type="lora", config={}, package_id=mine)

    assert caught.value.code == "TV204"


@pytest.fixture
def busy(stack: Any, package: Any) -> Iterator[Callable[[str], None]]:
    """Holds a lock on the package, and does something to the statement that waits for it."""

    def hold() -> None:
        script = (
            "select 1 from public.training_configs where id = :'id' for update; select pg_sleep(4);"
        )
        with contextlib.suppress(LocalStackError):  # it is cancelled when the test is over
            stack.psql(script, id=str(package.id))

    def waiting(do: str) -> str:
        return (
            f"select count({do}(pid)) from pg_stat_activity "
            "where usename = 'authenticator' and wait_event_type = 'Lock' and query like '%training_package%';"
        )

    def strike(do: str) -> None:
        for _ in range(200):
            if stack.psql(waiting(do), admin=True).strip() != "0":
                stack.psql(
                    "select pg_cancel_backend(pid) from pg_stat_activity where query like '%sleep(4)%' "
                    "and pid <> pg_backend_pid();",
                    admin=True,
                )
                return
        raise AssertionError("no statement waits")

    thread = threading.Thread(target=hold)
    thread.start()
    while (
        stack.psql(
            "select count(*) from pg_stat_activity where wait_event = 'PgSleep';", admin=True
        ).strip()
        == "0"
    ):
        pass
    yield strike
    thread.join()


def test_a_statement_that_the_database_cancels_can_be_tried_again(
    ada: Any, package: Any, busy: Any, survives_pickle: Any
) -> None:
    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(ada.packages.update, package.id, name="renamed")
        busy("pg_cancel_backend")
        error = outcome.exception()

    assert isinstance(error, UnavailableError)
    assert (error.code, error.hint) == ("57014", "Try again in a moment.")
    survives_pickle(error)
    assert ada.packages.get(package.id) == package
    assert ada.packages.update(package.id, name="renamed").name == "renamed"


def test_a_write_whose_database_connection_breaks_is_sent_again(
    ada: Any, package: Any, busy: Any
) -> None:
    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(ada.packages.update, package.id, name="renamed")
        busy("pg_terminate_backend")
        renamed = outcome.result()

    assert renamed == package.model_copy(update={"name": "renamed"})
    assert ada.packages.get(package.id) == renamed
    assert [request.url.path for request in ada.sent].count(
        "/rest/v1/rpc/update_training_package"
    ) == 2
