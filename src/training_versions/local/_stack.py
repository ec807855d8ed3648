"""`LocalSupabase`, as the program that uses the stack sees it. What runs the stack is `_supervisor.py`."""

from __future__ import annotations

import atexit
import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from uuid import UUID, uuid4

import httpx
import jwt

from training_versions import _packaged

from . import _supervisor
from ._programs import LocalStackError, find_caddy, find_postgres_bin, find_postgrest

if TYPE_CHECKING:
    from typing import Self

    from supabase import AsyncClient, Client


class _HttpOptions(TypedDict):
    verify: bool
    trust_env: bool
    timeout: float


_PACKAGED = Path(
    "the migrations of this package"
)  # stands for itself, whatever lies in the current folder
_START_TIMEOUT = (
    240.0  # the supervisor's own limits are shorter; this one is for a supervisor that hangs
)
_STOP_TIMEOUT = 40.0
_LOOPBACK: _HttpOptions = {
    "verify": False,
    "trust_env": False,
    "timeout": 120,
}  # neither certificates nor proxies
_TEN_YEARS = 10 * 365 * 24 * 3600


class LocalSupabase:
    """A Supabase project on this machine: PostgreSQL and PostgREST behind one address.

    Everything ends with the ``with`` block, or with the program, however that ends. Only for development, tests and
    trying things out: it has tables, functions and tokens as a hosted project has, but no sign-up, storage or realtime.

    Args:
        data_dir: Keep the data in this folder, and find it there at the next start. Without it they are thrown away.
        port: The port of the address; 0 takes a free one.
        migrations: A folder of Supabase migrations to apply instead of those of this package, or None for none.
        postgres_bin: The ``bin`` folder of another PostgreSQL than the one that comes with the extra ``local``.
        max_rows: The most rows a reply has, as hosted projects cap them at 1,000; None for no cap.
        default_privileges: Give anon, authenticated and service_role every right on new tables, sequences and
            functions, as older hosted projects do. Counts when the data folder is new.

    Raises:
        LocalStackError: From ``start`` and ``with``: it cannot start; the message says why.

    Example:
        >>> with LocalSupabase() as stack:
        ...     client = stack.sign_in("ada@example.com")
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str] | None = None,
        *,
        port: int = 0,
        migrations: str | os.PathLike[str] | None = _PACKAGED,
        postgres_bin: str | os.PathLike[str] | None = None,
        max_rows: int | None = None,
        default_privileges: bool = False,
    ) -> None:
        self._data_dir = None if data_dir is None else Path(data_dir).absolute()
        self._port = port
        self._migrations = migrations
        self._postgres_bin = postgres_bin
        self._max_rows = max_rows
        self._default_privileges = default_privileges
        self._process: subprocess.Popen[str] | None = None
        self._state: _supervisor.Ready | None = None
        self._programs_bin = ""
        self._http: httpx.Client | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the stack and wait until it answers; does nothing when it runs already.

        Raises:
            LocalStackError: It cannot start; nothing is left running.
        """
        if self._process is not None:
            return
        settings = self._settings()
        self._programs_bin = settings["postgres_bin"]
        supervisor = [sys.executable, "-I", "-S", "-X", "utf8", _supervisor.__file__]
        self._process = subprocess.Popen(
            supervisor,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=True,  # ctrl-C is for the program; the supervisor sees the program end
        )
        atexit.register(self.stop)
        try:
            self._state = self._await_ready(self._process, settings)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the stack, and throw its data away unless a folder was given; does nothing when it does not run."""
        process, state, self._process, self._state = self._process, self._state, None, None
        if process is None:
            return
        atexit.unregister(self.stop)
        if self._http is not None:
            self._http.close()
            self._http = None
        process.terminate()
        try:
            process.communicate(timeout=_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if state is not None:
            shutil.rmtree(
                state["folder"], ignore_errors=True
            )  # still there if the supervisor was killed

    # --- where it is, and the keys to it

    @property
    def url(self) -> str:
        """The project's address, as in ``create_client(stack.url, stack.anon_key)``."""
        return f"http://127.0.0.1:{self._running['port']}"

    @property
    def rest_url(self) -> str:
        """The address of the REST API."""
        return f"{self.url}/rest/v1"

    @property
    def db_url(self) -> str:
        """The database as the role ``postgres``, which applies migrations; as on hosted projects it is no superuser."""
        return self._database("postgres")

    @property
    def admin_db_url(self) -> str:
        """The database as its superuser."""
        return self._database("supabase_admin")

    @property
    def jwt_secret(self) -> str:
        """What the tokens are signed with (HS256)."""
        return self._running["jwt_secret"]

    @property
    def anon_key(self) -> str:
        """The public key of the project, for callers who have not signed in."""
        return self._key("anon")

    @property
    def service_key(self) -> str:
        """The secret key of the project; row-level security does not apply to it."""
        return self._key("service_role")

    # --- users and clients

    def user_id(self, email: str) -> UUID:
        """The identifier of the user with this address, who is created when new."""
        script = (
            "insert into auth.users (id, email) values (:'id', lower(:'email')) on conflict (email) do nothing;\n"
            "select id from auth.users where email = lower(:'email');"
        )
        return UUID(self.psql(script, id=str(uuid4()), email=email).strip())

    def token(self, email: str, expires_in: int = 3600) -> str:
        """A signed access token of this user, who is created when new; less than -30 seconds make an expired one."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": f"{self.url}/auth/v1",
            "sub": str(self.user_id(email)),
            "aud": "authenticated",
            "role": "authenticated",
            "email": email.lower(),
            "aal": "aal1",
            "is_anonymous": False,
            "iat": min(now, now + expires_in),
            "exp": now + expires_in,
        }
        return jwt.encode(claims, self.jwt_secret, algorithm="HS256")

    def sign_in(self, email: str) -> Client:
        """A client that acts as this user, who is created when new. It is closed with the stack."""
        return self.client(self.token(email))

    async def sign_in_async(self, email: str) -> AsyncClient:
        """Like ``sign_in``, for asyncio. It keeps no connection open, so it need not be closed."""
        from supabase import AsyncClientOptions, create_async_client

        none_kept = httpx.Limits(
            max_keepalive_connections=0
        )  # a connection that is kept would outlive the event loop
        http = httpx.AsyncClient(limits=none_kept, **_LOOPBACK)
        options = AsyncClientOptions(
            auto_refresh_token=False, persist_session=False, httpx_client=http
        )
        options.headers["Authorization"] = f"Bearer {self.token(email)}"
        return await create_async_client(self.url, self.anon_key, options)

    def client(self, key_or_token: str | None = None) -> Client:
        """A client with this key or access token, or with the anonymous key. It is closed with the stack."""
        return self._client(self.anon_key, key_or_token or self.anon_key)

    def service_client(self) -> Client:
        """A client with the secret key."""
        return self._client(self.service_key, self.service_key)

    # --- the database

    def psql(self, script: str, *, admin: bool = False, **variables: str) -> str:
        """Run SQL in one transaction and return what it prints, one row a line; ``:'name'`` stands for a variable.

        Args:
            script: What psql reads, its own commands included.
            admin: As the superuser instead of as ``postgres``.
            variables: Values for the script.

        Raises:
            LocalStackError: The database refused it; the message has psql's text.
        """
        state = self._running
        settings = [f"--set={name}={value}" for name, value in variables.items()]
        role = "supabase_admin" if admin else "postgres"
        arguments = (*settings, "--single-transaction", "--file=-")
        try:
            return _supervisor.psql(
                self._programs_bin,
                state["database_port"],
                state["password"],
                *arguments,
                role=role,
                stdin=script,
            )
        except _supervisor.Failure as exc:
            raise LocalStackError(str(exc)) from None

    def reload_schema(self) -> None:
        """Make the REST API see tables and functions that were just made; when this returns it does.

        Raises:
            LocalStackError: The API did not answer in time.
        """
        log = Path(self._running["folder"], "postgrest.log")
        for _ in range(2):  # the first to be reported may have begun before we asked
            seen = log.read_bytes().count(_supervisor.SCHEMA_LOADED.encode())
            self.psql("notify pgrst, 'reload schema';")
            deadline = time.monotonic() + 30
            while log.read_bytes().count(_supervisor.SCHEMA_LOADED.encode()) == seen:
                if time.monotonic() > deadline:
                    raise LocalStackError(
                        f"PostgREST did not reload its schema:\n{log.read_text()[-2000:]}"
                    )
                time.sleep(0.01)

    # --- inside

    @property
    def _running(self) -> _supervisor.Ready:
        if self._state is None:
            raise LocalStackError(
                "the local stack is not running: use `with LocalSupabase() as stack:` or start()"
            )
        return self._state

    def _settings(self) -> _supervisor.Settings:
        migrations = (
            _packaged.migrations_dir() if self._migrations is _PACKAGED else self._migrations
        )
        if migrations is not None and not Path(migrations).is_dir():
            raise LocalStackError(f"there is no folder of migrations at {migrations}")
        return _supervisor.Settings(
            data_dir=None if self._data_dir is None else str(self._data_dir),
            port=self._port,
            migrations=None if migrations is None else str(Path(migrations).absolute()),
            postgres_bin=str(find_postgres_bin(self._postgres_bin)),
            postgrest=str(find_postgrest()),
            caddy=str(find_caddy()),
            max_rows=self._max_rows,
            default_privileges=self._default_privileges,
        )

    def _await_ready(
        self, process: subprocess.Popen[str], settings: _supervisor.Settings
    ) -> _supervisor.Ready:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(settings) + "\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            answered = selector.select(_START_TIMEOUT)
        if not answered:
            raise LocalStackError(
                f"the local stack did not start within {_START_TIMEOUT:.0f} seconds"
            )
        line = process.stdout.readline()
        if not line:
            raise LocalStackError(
                f"the local stack ended while it started (code {process.wait(10)})"
            )
        answer = json.loads(line)
        if "error" in answer:
            raise LocalStackError(answer["error"])
        return answer

    def _database(self, role: str) -> str:
        state = self._running
        return (
            f"postgresql://{role}:{state['password']}@127.0.0.1:{state['database_port']}/postgres"
        )

    def _key(self, role: str) -> str:
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": "supabase",
            "ref": "local",
            "role": role,
            "iat": now,
            "exp": now + _TEN_YEARS,
        }
        return jwt.encode(claims, self.jwt_secret, algorithm="HS256")

    def _client(self, key: str, token: str) -> Client:
        from supabase import ClientOptions, create_client

        if self._http is None:
            self._http = httpx.Client(**_LOOPBACK)
        options = ClientOptions(
            auto_refresh_token=False, persist_session=False, httpx_client=self._http
        )
        options.headers["Authorization"] = f"Bearer {token}"
        return create_client(self.url, key, options)
