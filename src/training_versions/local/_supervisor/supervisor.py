"""The order in which the parts of one stack start and stop."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from .auth import AuthServer, wait_until_ready
from .caddy import listen, start_caddy
from .database import Database
from .folders import lock, make_data_dir, make_temporary_folder, remove_folder
from .keys import Secrets, read_secrets
from .messages import Settings, StartedStack
from .postgres import PostgresServer
from .postgrest import PostgrestServer
from .processes import RunningPrograms
from .unprivileged import choose_user, reachable_programs


class Supervisor:
    """Starts the programs in order, and stops them in the opposite one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._programs = RunningPrograms()
        self._temporary_folder: Path | None = None
        self._lock: TextIO | None = None  # held until this process ends

    def start(self) -> StartedStack:
        """Start everything; when this returns, the stack answers.

        Raises:
            LocalStackError: Something cannot start; `stop` ends what has started.
        """
        # First of all, so that a port that is taken is reported at once.
        listener = listen(self._settings.port)
        folder = self._temporary_folder = make_temporary_folder()
        data_dir = self._settings.data_dir
        if data_dir is None:
            data_dir = folder / "data"
        make_data_dir(data_dir)
        # Before anything in it is read: another stack may be making it just now.
        self._lock = lock(data_dir)
        secrets = read_secrets(data_dir, self._settings.new_secrets)

        database = self._start_postgres(data_dir / "pgdata", folder, secrets)
        port: int = listener.getsockname()[1]
        auth = AuthServer(folder)
        # It takes a while to start, and nobody needs it until the end.
        running_auth = auth.start(
            self._programs,
            database,
            data_dir=data_dir,
            issuer=f"http://127.0.0.1:{port}/auth/v1",
            python_path=self._settings.python_path,
        )
        self._prepare_database(database)
        postgrest = PostgrestServer(self._settings.postgrest, folder)
        postgrest.start(self._programs, database, secrets, self._settings.max_rows)
        wait_until_ready(running_auth)
        start_caddy(
            self._programs,
            self._settings.caddy,
            listener=listener,
            postgrest_socket=postgrest.socket,
            auth_socket=auth.socket,
            secrets=secrets,
            folder=folder,
        )
        return StartedStack(
            port=port,
            database_port=database.port,
            secrets=secrets,
            data_dir=data_dir,
            temporary_folder=folder,
        )

    def _start_postgres(self, pgdata: Path, folder: Path, secrets: Secrets) -> Database:
        user = choose_user(pgdata)
        bin_folder = reachable_programs(
            self._settings.postgres_bin, user, copy_to=folder / "installation"
        )
        is_kept = self._settings.data_dir is not None
        server = PostgresServer(bin_folder, pgdata, user, is_kept)
        if not pgdata.exists():
            server.create_cluster(secrets.password, folder)
        port = server.start(self._programs, folder)
        return Database(bin_folder, port, secrets.password)

    def _prepare_database(self, database: Database) -> None:
        database.bootstrap(default_privileges=self._settings.default_privileges)
        if self._settings.migrations is not None:
            database.migrate(self._settings.migrations)

    def stop(self) -> None:
        """End every program that was started, and remove what is temporary."""
        self._programs.stop()
        if self._temporary_folder is not None:
            remove_folder(self._temporary_folder)
