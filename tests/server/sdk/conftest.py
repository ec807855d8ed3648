"""What the tests of the SDK share: callers whose requests are recorded, and things to act on.

Tests run on the sync face; those that are marked with `both_faces`, on the async one as well.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import jwt
import psycopg
import pytest

from tests.data import SNAPSHOTS
from tests.faces import Face
from training_versions import DatabaseError, Package, TrainingVersionsError, Version
from training_versions.local import LocalSupabase


@pytest.fixture(scope="session")
def face(request):
    face = Face(getattr(request, "param", "sync"))
    yield face
    face.close()


# --- projects


@pytest.fixture(scope="session")
def capped_stack():
    """Another project, whose replies have at most 100 rows, as hosted ones have 1,000."""
    with LocalSupabase(max_rows=100) as running:
        yield running


class Sql:
    """SQL in the database of a project, past PostgREST; `%(name)s` stands for a parameter."""

    def __init__(self, stack: LocalSupabase) -> None:
        self._stack = stack

    def __call__(self, statements: str, *, admin: bool = False, **parameters: Any) -> list[Any]:
        """Run them in one transaction, and return the rows of the last one, if it gives any."""
        url = self._stack.admin_db_url if admin else self._stack.db_url
        with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
            cursor = connection.execute(statements, parameters or None)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def past_triggers(self, statements: str, **parameters: Any) -> None:
        """Change rows as no client can, to what older rules may have left in a database."""
        replica = "set local session_replication_role = replica;"
        self(replica + statements, admin=True, **parameters)

    def change(self, version_id: UUID, **columns: Any) -> None:
        """Set columns of a version past all rules."""
        changes = ", ".join(f"{name} = %({name})s" for name in columns)
        self.past_triggers(
            f"update public.training_package_versions set {changes} where id = %(version_id)s",
            version_id=version_id,
            **columns,
        )


@pytest.fixture(scope="session")
def sql(stack):
    return Sql(stack)


# --- people


@dataclass(frozen=True)
class Person:
    """Somebody who has signed up and in, with nothing of their own yet."""

    id: UUID
    token: str


@pytest.fixture(scope="session")
def person(stack, sql):
    """Signs somebody new up."""
    rows = sql(
        "insert into auth.users (id, email) select id, id || '@example.com'"
        " from (select gen_random_uuid() as id from generate_series(1, 2000)) as new returning id",
        admin=True,
    )
    ids = iter(rows)
    claims = {"aud": "authenticated", "role": "authenticated", "exp": int(time.time()) + 3600}

    def sign_up() -> Person:
        (user_id,) = next(ids)
        signed = jwt.encode({**claims, "sub": str(user_id)}, stack.jwt_secret, algorithm="HS256")
        return Person(user_id, signed)

    return sign_up


@dataclass
class Caller:
    """Both repositories of somebody, called without `await`, and every request they send."""

    id: Any
    token: str | None
    versions: Any = None
    packages: Any = None
    client: Any = None
    sent: list[httpx.Request] = field(default_factory=list)
    replies: list[httpx.Response] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """What was asked, shortened to the function or table."""
        return [request.url.path.removeprefix("/rest/v1/") for request in self.sent]

    # What a test starts from.

    def package(self, name: str = "other", **given: Any) -> Package:
        return self.packages.create(name, **{"template_type": "lora", "config": {}} | given)

    def draft(self, package: Any, **given: Any) -> Version:
        """Make a draft in a package, or beside another version; `given` replaces the usual."""
        package_id = getattr(package, "package_id", getattr(package, "id", package))
        return self.versions.create_draft(package_id, **SNAPSHOTS | given)

    def published(self, package: Any, **given: Any) -> Version:
        return self.versions.publish(self.draft(package, **given).id)

    def kinds(self, **which: Any) -> list[str]:
        """The kinds of the events of a history, oldest first."""
        events = self.versions.iterate_history(order="oldest", **which)
        return [str(event.kind) for event in events]


class Connect:
    """Makes callers for a person, a token or nobody, in a project or behind an address."""

    def __init__(self, stack: LocalSupabase, face: Face) -> None:
        self._stack = stack
        self._face = face
        self._opened: list[Any] = []

    def __call__(
        self,
        who: Person | Caller | str | None,
        *,
        stack: LocalSupabase | None = None,
        url: str | None = None,
        retry_pauses: tuple[float, ...] = (0.0, 0.0, 0.0),
        timeout: float = 60,
        allow_secrets: bool = False,
        before: Callable[[httpx.Request], httpx.Response | None] = lambda request: None,
        after: Callable[[httpx.Request], None] = lambda request: None,
        **types: Any,
    ) -> Caller:
        project = stack or self._stack
        token = who.token if isinstance(who, Person | Caller) else who
        caller = Caller(getattr(who, "id", None), token)

        def sending(request: httpx.Request) -> httpx.Response | None:
            caller.sent.append(request)
            return before(request)

        def replied(request: httpx.Request, response: httpx.Response) -> None:
            caller.replies.append(response)
            after(request)

        face = self._face
        http = face.http(transport=face.transport(sending, replied), timeout=timeout)
        self._opened.append(http)
        caller.client = face.supabase(url or project.url, project.anon_key, http, token=token)
        options = {"retry_pauses": retry_pauses, "allow_secrets": allow_secrets}
        caller.versions = face.versions(caller.client, **options, **types)
        caller.packages = face.packages(caller.client, **options)
        return caller

    def close(self) -> None:
        for http in self._opened:
            self._face.close_http(http)


@pytest.fixture(scope="session")
def connect(stack, face):
    made = Connect(stack, face)
    yield made
    made.close()


@pytest.fixture
def ada(connect, person):
    """Somebody who is signed in; everything in a test is hers."""
    return connect(person())


@pytest.fixture
def bob(connect, person):
    """Somebody else who is signed in."""
    return connect(person())


@pytest.fixture
def nobody(connect):
    """Somebody who is not signed in."""
    return connect(None)


@pytest.fixture
def admin(connect, stack):
    """The service role."""
    return connect(stack.service_key)


@pytest.fixture
def far(connect, ada, cutter):
    """Ada again, at the other end of a line that can be cut; writes are sent up to four times."""
    return connect(ada, url=cutter.url)


@pytest.fixture
def carol(connect, capped_stack, unique):
    """Somebody who is signed in to the project with the cap."""
    return connect(capped_stack.token(unique("carol@")), stack=capped_stack)


# --- things to act on


@pytest.fixture
def package(ada):
    return ada.package("support-bot", template_type="lora_finetuning", config={"r": 8})


@pytest.fixture
def draft(ada, package):
    return ada.draft(package)


@pytest.fixture
def published(ada, draft):
    return ada.versions.publish(draft.id)


@pytest.fixture
def table(ada):
    """The versions as ada's browser writes them, past the functions."""
    return lambda: ada.client.table("training_package_versions")


@pytest.fixture
def service_table(admin):
    """The versions as the service role writes them, past the functions."""
    return lambda: admin.client.table("training_package_versions")


@pytest.fixture(scope="session")
def rows_of(stack):
    """Gives all rows that belong to some users, as they are in the database."""
    headers = {"apikey": stack.service_key}
    owners = {"training_configs": "user_id", "training_package_versions": "created_by"}
    with httpx.Client(base_url=stack.rest_url, headers=headers, verify=False) as http:

        def rows(*user_ids: object) -> list[dict[str, Any]]:
            users = ",".join(str(user_id) for user_id in user_ids)
            found = []
            for name, owner in owners.items():
                reply = http.get(f"/{name}", params={owner: f"in.({users})", "order": "id"})
                found += reply.raise_for_status().json()
            return found

        yield rows


# --- ways to act


@pytest.fixture(scope="session")
def at_once():
    """Runs calls in threads of their own, and gives what each returned or raised."""

    def run(calls: list[Callable[[], Any]]) -> list[Any]:
        with ThreadPoolExecutor(len(calls)) as threads:
            futures = [threads.submit(call) for call in calls]
            return [future.exception() or future.result() for future in futures]

    return run


@pytest.fixture(scope="session")
def refused():
    """Makes a call that the database refuses with a code, and gives the error."""

    def check(code: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> DatabaseError:
        with pytest.raises(DatabaseError) as caught:
            call(*args, **kwargs)

        assert caught.value.code == code
        return caught.value

    return check


@pytest.fixture(scope="session")
def survives_pickle():
    """Asserts that an error is the same after pickle, as it travels between processes."""

    def check(error: TrainingVersionsError) -> None:
        again = pickle.loads(pickle.dumps(error))

        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)

    return check
