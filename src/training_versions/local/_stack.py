"""`LocalSupabase`, the stack as the program that uses it sees it.

The programs themselves run under a process of their own, see the folder `_supervisor`.
"""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from training_versions.migrations import migrations_dir

from ._clients import (
    client_with_token,
    loopback_http_client,
    signed_in_async_client,
    signed_in_client,
)
from ._launcher import SupervisorProcess
from ._programs import find_caddy, find_postgres_bin, find_postgrest, find_python_path
from ._supervisor.auth_server.tokens import make_session, sign_access_token
from ._supervisor.database import OWNER, SUPERUSER, Database
from ._supervisor.errors import LocalStackError
from ._supervisor.keys import write_secrets
from ._supervisor.messages import Settings, StartedStack
from ._supervisor.postgrest import (
    count_config_loads,
    count_schema_loads,
    read_log,
    write_verification_keys,
)
from ._supervisor.processes import wait_for
from ._tokens import make_secrets, make_signing_key

if TYPE_CHECKING:
    from typing import Self

    import httpx
    from supabase import AsyncClient, Client


# The default is recognised by identity: a folder of this name is never looked for.
_PACKAGED_MIGRATIONS = Path("the migrations of this package")

_RELOAD_TIMEOUT = 30.0
_MAX_PORT = 65_535

_CREATE_USER = """
    insert into auth.users (id, email) values (:'id', lower(:'email'))
        on conflict (email) do nothing;
"""
_FIND_USER = "select id from auth.users where email = lower(:'email');"
_START_SESSION = """
    select auth.start_session(id) from auth.users where email = lower(:'email');
"""


class LocalSupabase:
    """A Supabase project on this machine: PostgreSQL, PostgREST and sign-in behind one address.

    Everything ends with the ``with`` block, or with the program, however that ends. Only for
    development, tests and trying things out: it has tables, functions, keys and sign-in as a hosted
    project has, but confirms no address, mails nothing, and has no storage or realtime.

    Args:
        data_dir: Keep the data in this folder, and find it there at the next start. Without it
            the data are thrown away.
        port: The port of the address; 0 takes a free one.
        migrations: A folder of Supabase migrations to apply instead of those of this package, or
            None for none.
        postgres_bin: The ``bin`` folder of another PostgreSQL than the one that comes with the
            extra ``local``.
        max_rows: The most rows a reply has, as hosted projects cap them at 1,000; None for no cap.
        default_privileges: Give anon, authenticated and service_role every right on new tables,
            sequences and functions, as older hosted projects do. Takes effect only when the data
            folder is new.

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
        migrations: str | os.PathLike[str] | None = _PACKAGED_MIGRATIONS,
        postgres_bin: str | os.PathLike[str] | None = None,
        max_rows: int | None = None,
        default_privileges: bool = False,
    ) -> None:
        # A relative path means the folder that is current now, not the one at the start.
        self._data_dir = _absolute(data_dir)
        self._port = port
        self._migrations = migrations
        self._postgres_bin = postgres_bin
        self._max_rows = max_rows
        self._default_privileges = default_privileges
        self._supervisor: SupervisorProcess | None = None
        self._started: StartedStack | None = None
        self._has_ended = False
        self._psql_folder = Path()
        self._http: httpx.Client | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the stack and wait until it answers; does nothing when it is running already.

        Raises:
            LocalStackError: It cannot start; nothing is left running.
        """
        if self._supervisor is not None:
            return
        settings = self._settings()
        self._psql_folder = settings.postgres_bin
        self._supervisor = SupervisorProcess()
        atexit.register(self.stop)
        try:
            self._started = self._supervisor.start_stack(settings)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the stack; does nothing when it is not running.

        The data are thrown away unless a folder was given for them.
        """
        supervisor = self._supervisor
        self._supervisor = None
        self._started = None
        if supervisor is None:
            return
        self._has_ended = True
        atexit.unregister(self.stop)
        if self._http is not None:
            self._http.close()
            self._http = None
        supervisor.stop()

    # --- where it is, and the keys to it

    @property
    def url(self) -> str:
        """The project's address, as in ``create_client(stack.url, stack.publishable_key)``."""
        return f"http://127.0.0.1:{self._running.port}"

    @property
    def rest_url(self) -> str:
        """The address of the REST API."""
        return f"{self.url}/rest/v1"

    @property
    def _issuer(self) -> str:
        return f"{self.url}/auth/v1"

    @property
    def db_url(self) -> str:
        """The database as the role ``postgres``, which applies migrations.

        As on hosted projects, that role is no superuser.
        """
        return self._database.url(OWNER)

    @property
    def admin_db_url(self) -> str:
        """The database as its superuser."""
        return self._database.url(SUPERUSER)

    @property
    def jwt_secret(self) -> str:
        """The older secret (HS256), which ``anon_key`` and ``service_key`` are signed with."""
        return self._running.secrets.jwt_secret

    @property
    def publishable_key(self) -> str:
        """The public key of the project (``sb_publishable_…``), for apps and browsers."""
        return self._running.secrets.publishable_key

    @property
    def secret_key(self) -> str:
        """The secret key of the project (``sb_secret_…``), to which no row level security applies.

        As on a hosted project, browsers are refused with it.
        """
        return self._running.secrets.secret_key

    @property
    def anon_key(self) -> str:
        """The public key of the older kind, a JWT."""
        return self._running.secrets.anon_key

    @property
    def service_key(self) -> str:
        """The secret key of the older kind, a JWT."""
        return self._running.secrets.service_key

    # --- users and clients

    def user_id(self, email: str) -> UUID:
        """Return the identifier of the user with this address, who is created when new."""
        printed = self.psql(_CREATE_USER + _FIND_USER, id=str(uuid4()), email=email)
        return UUID(printed.strip())

    def token(self, email: str, expires_in: int = 3600) -> str:
        """Return a signed access token of this user, who is created when new.

        Args:
            email: The user's address.
            expires_in: Seconds until the token expires. PostgREST allows clocks to differ by 30
                seconds, so less than -30 makes a token that has expired.
        """
        return sign_access_token(
            str(self.user_id(email)),
            email.lower(),
            issuer=self._issuer,
            expires_in=expires_in,
            signing_key=self._running.secrets.signing_keys[0],
        )

    def rotate_signing_key(self, *, revoke_old: bool = False) -> None:
        """Sign users' tokens with a new key from now on.

        Args:
            revoke_old: Refuse tokens that an older key has signed. Otherwise they stay good until
                they expire.

        Raises:
            LocalStackError: The API did not take the new key in time.
        """
        running = self._running
        old_keys = [] if revoke_old else running.secrets.signing_keys
        secrets = replace(running.secrets, signing_keys=[make_signing_key(), *old_keys])
        write_secrets(running.data_dir, secrets)
        write_verification_keys(running.temporary_folder, secrets)
        self._started = replace(running, secrets=secrets)
        self._notify_postgrest("reload config", count_config_loads)

    def sign_in(self, email: str) -> Client:
        """Return a client that acts as this user, who is created when new and needs no password.

        It has a session as after ``client.auth.sign_in_with_password``, which can be refreshed, but
        is not refreshed by itself. The client is closed with the stack.
        """
        session = self._start_session(email)
        return signed_in_client(self.url, self.publishable_key, session, self._http_client())

    async def sign_in_async(self, email: str) -> AsyncClient:
        """Like ``sign_in``, for asyncio. It keeps no connection open, so it need not be closed."""
        session = self._start_session(email)
        return await signed_in_async_client(self.url, self.publishable_key, session)

    def _start_session(self, email: str) -> str:
        """Start a session of this user, and return it as clients store it."""
        script = _CREATE_USER + _START_SESSION
        state = json.loads(self.psql(script, id=str(uuid4()), email=email))
        signing_key = self._running.secrets.signing_keys[0]
        return json.dumps(make_session(state, issuer=self._issuer, signing_key=signing_key))

    def client(self, key_or_token: str | None = None) -> Client:
        """Return a client with this key or access token, or with the public key.

        The client is closed with the stack.
        """
        if key_or_token is None:
            return self._client(self.publishable_key, self.publishable_key)
        if key_or_token.startswith("sb_"):
            # A key of today's kind is no token beside another key.
            return self._client(key_or_token, key_or_token)
        return self._client(self.publishable_key, key_or_token)

    def service_client(self) -> Client:
        """Return a client with the secret key."""
        return self._client(self.secret_key, self.secret_key)

    def _client(self, key: str, token: str) -> Client:
        return client_with_token(self.url, key, token, self._http_client())

    def _http_client(self) -> httpx.Client:
        if self._http is None:
            self._http = loopback_http_client()
        return self._http

    # --- the database

    def psql(self, script: str, *, admin: bool = False, **variables: str) -> str:
        """Run SQL in one transaction and return what it prints, one row a line.

        Args:
            script: What psql reads, its own commands included; ``:'name'`` stands for a variable.
            admin: As the superuser instead of as ``postgres``.
            variables: Values for the script.

        Raises:
            LocalStackError: The database refused it; the message has psql's text.
        """
        role = SUPERUSER if admin else OWNER
        settings = [f"--set={name}={value}" for name, value in variables.items()]
        return self._database.psql(
            *settings, "--single-transaction", "--file=-", role=role, stdin=script
        )

    def reload_schema(self) -> None:
        """Wait until the REST API knows the tables and functions that were just made.

        Raises:
            LocalStackError: The API did not reload in time.
        """
        # Twice: the first load that is logged may have begun before the schema changed.
        self._notify_postgrest("reload schema", count_schema_loads)
        self._notify_postgrest("reload schema", count_schema_loads)

    def _notify_postgrest(self, command: str, count_loads: Callable[[Path], int]) -> None:
        """Tell PostgREST to load something again, and wait until it has done so."""
        folder = self._running.temporary_folder
        loads_before = count_loads(folder)
        self.psql(f"notify pgrst, '{command}';")
        if not wait_for(lambda: count_loads(folder) > loads_before, _RELOAD_TIMEOUT):
            log = read_log(folder)
            raise LocalStackError(f"PostgREST did not {command}:\n{log[-2000:]}")

    # --- inside

    @property
    def _running(self) -> StartedStack:
        if self._started is not None:
            return self._started
        problem = "it has ended" if self._has_ended else "it was not started"
        raise LocalStackError(
            f"the local stack is not running: {problem};"
            " use it inside `with LocalSupabase() as stack:`, or between start() and stop()"
        )

    @property
    def _database(self) -> Database:
        running = self._running
        return Database(self._psql_folder, running.database_port, running.secrets.password)

    def _settings(self) -> Settings:
        if self._port not in range(_MAX_PORT + 1):
            raise LocalStackError(f"port must be 0 to {_MAX_PORT}, not {self._port!r}")
        if self._max_rows is not None and self._max_rows < 1:
            raise LocalStackError(f"max_rows must be 1 or more, not {self._max_rows}")
        if self._data_dir is not None and self._data_dir.is_file():
            raise LocalStackError(f"data_dir must be a folder, and {self._data_dir} is a file")
        return Settings(
            data_dir=self._data_dir,
            port=self._port,
            migrations=self._migrations_folder(),
            postgres_bin=find_postgres_bin(self._postgres_bin),
            postgrest=find_postgrest(),
            caddy=find_caddy(),
            max_rows=self._max_rows,
            default_privileges=self._default_privileges,
            python_path=find_python_path(),
            new_secrets=make_secrets(),
        )

    def _migrations_folder(self) -> Path | None:
        if self._migrations is _PACKAGED_MIGRATIONS:
            return migrations_dir()
        folder = _absolute(self._migrations)
        if folder is not None and not folder.is_dir():
            raise LocalStackError(f"there is no folder of migrations at {self._migrations}")
        return folder


def _absolute(path: str | os.PathLike[str] | None) -> Path | None:
    if path is None:
        return None
    return Path(path).absolute()
