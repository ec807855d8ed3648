"""The process that runs PostgreSQL, PostgREST and Caddy for one `LocalSupabase`, and ends them when it ends.

Started as a script, with nothing but the standard library, so that it is up at once. It reads its settings as one line
of JSON from standard input, answers with one line of JSON, and then waits for standard input to close: that happens
when the program that uses the stack ends, in whatever way, so nothing is left behind and the program needs no signal
handlers. If the supervisor itself is killed, Linux ends its children, and the next start on a kept folder cleans up.
"""

from __future__ import annotations

import ctypes
import fcntl
import http.client
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypedDict

HERE = Path(__file__).resolve().parent
SCHEMA_LOADED = "Schema cache loaded"
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 20.0
_LOCK_TIMEOUT = 5.0
_SHORT_LIVED = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
)  # for data that nobody keeps
_MAY_PASS = ("Address already in use", "pre-existing shared memory block")
_HISTORY = """
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
    alter table supabase_migrations.schema_migrations add column if not exists statements text[];
    alter table supabase_migrations.schema_migrations add column if not exists name text;
"""


class Settings(TypedDict):
    """What the program that uses the stack wants."""

    data_dir: str | None
    port: int
    migrations: str | None
    postgres_bin: str
    postgrest: str
    caddy: str
    max_rows: int | None
    default_privileges: bool


class Ready(TypedDict):
    """What the program needs to know of a stack that has started."""

    port: int
    database_port: int
    password: str
    jwt_secret: str
    folder: str


class Failure(Exception):
    """The stack cannot start; the text is for the user."""


def run(
    command: list[str], *, stdin: str = "", timeout: float = _START_TIMEOUT, **options: Any
) -> str:
    """Run a program to its end and return what it printed; a failure carries what it complained about."""
    name = Path(command[0]).name
    options = {"env": environment(), **options}
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            cwd="/",
            **options,
        )
    except subprocess.TimeoutExpired as exc:
        raise Failure(f"{name} did not end within {timeout:.0f} seconds") from exc
    except OSError as exc:
        raise Failure(f"{name} could not be started: {exc}") from exc
    if done.returncode:
        raise Failure(f"{name} failed: {(done.stderr or done.stdout).strip()[-4000:]}")
    return done.stdout


def psql(
    folder: str, port: int, password: str, *arguments: str, role: str = "postgres", stdin: str = ""
) -> str:
    """Run psql on the stack's database; the first error ends it."""
    login = [
        "--host=127.0.0.1",
        f"--port={port}",
        f"--username={role}",
        "--dbname=postgres",
        "--no-password",
    ]
    plain = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
    command = [os.path.join(folder, "psql"), *login, *plain, *arguments]
    return run(command, stdin=stdin, env={**environment(), "PGPASSWORD": password})


def environment() -> dict[str, str]:
    """The user's environment without the variables that would redirect one of the programs."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith("PG") and k.upper() not in proxies
    }
    return {**kept, "LC_ALL": "C.UTF-8"}


class Supervisor:
    """Starts the three programs in order, and stops them in the opposite one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.kept = settings["data_dir"] is not None
        self.bin = settings["postgres_bin"]
        self.database_port = 0
        self.password = ""
        self.processes: list[tuple[subprocess.Popen[Any], signal.Signals]] = []
        self.user: dict[str, Any] = {}  # whom PostgreSQL runs as, in the words of subprocess
        self.folder = Path()
        self.lock: TextIO | None = None

    def start(self) -> Ready:
        """Start everything; when this returns, the stack answers."""
        listener = self._listen(self.settings["port"])
        self.folder = self._make_folder()
        home = Path(self.settings["data_dir"] or self.folder / "data")
        home.mkdir(parents=True, exist_ok=True)
        self._lock(home)
        pgdata = home / "pgdata"
        self._choose_user(pgdata)
        jwt_secret = self._read_secrets(home, pgdata)

        if not pgdata.exists():
            self._init_database(pgdata)
        self._start_postgres(pgdata)
        self._bootstrap()
        if self.settings["migrations"] is not None:
            self._migrate(Path(self.settings["migrations"]))
        postgrest_socket = self._start_postgrest(jwt_secret)
        port = self._start_caddy(listener, postgrest_socket)
        return {
            "port": port,
            "database_port": self.database_port,
            "password": self.password,
            "jwt_secret": jwt_secret,
            "folder": str(self.folder),
        }

    def stop(self) -> None:
        """End every program that was started, and remove what is temporary."""
        for process, how in reversed(self.processes):
            process.send_signal(how)
        deadline = time.monotonic() + _STOP_TIMEOUT
        for process, _ in reversed(self.processes):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- folders and users

    def _make_folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="training-versions-"))
        if len(str(folder)) > 80 or (
            os.geteuid() == 0 and not _reachable(folder.parent, _as_nobody())
        ):
            folder.rmdir()  # the path of a socket in it has at most 104 characters, and PostgreSQL must get there
            folder = Path(tempfile.mkdtemp(prefix="training-versions-", dir="/tmp"))
        folder.chmod(0o711)
        return folder

    def _lock(self, home: Path) -> None:
        lock = self.lock = (home / "lock").open("a")  # held until this process ends
        try:
            _wait("waiting for the lock", lambda: _try_lock(lock), _LOCK_TIMEOUT, every=0.05)
        except Failure:
            raise Failure(
                f"{home} is in use by another LocalSupabase; stop that one or choose another data_dir"
            ) from None

    def _choose_user(self, pgdata: Path) -> None:
        """PostgreSQL refuses to run as root: then the owner of the data runs it, or the user `nobody`."""
        if os.geteuid() != 0:
            return
        owner = pgdata.stat() if pgdata.exists() else None
        self.user = _as_user(owner.st_uid, owner.st_gid) if owner else _as_nobody()
        if not _reachable(Path(self.bin), self.user):
            self.bin = str(self._copy_installation(Path(self.bin)))

    def _copy_installation(self, bin_folder: Path) -> Path:
        """Copy PostgreSQL to where its user can read it, rather than open the folders it lies in to everybody."""
        install, package = bin_folder.parent, bin_folder.parents[1]
        libraries = package.with_name(
            f"{package.name}.libs"
        )  # where wheels keep their shared libraries
        target = self.folder / "installation"
        shutil.copytree(install, target / package.name / install.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        for path in (target, *target.rglob("*")):
            os.chown(path, self.user["user"], self.user["group"], follow_symlinks=False)
        return target / package.name / install.name / bin_folder.name

    def _data_path(self, pgdata: Path) -> tuple[str, dict[str, Any]]:
        """How PostgreSQL is told its folder, and what `subprocess` must know for it.

        The user it runs as in place of root need not be able to walk there: Linux lets it in through an open folder.
        """
        if not self.user or sys.platform != "linux":
            return str(pgdata), self.user
        opened = os.open(pgdata, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{opened}", {**self.user, "pass_fds": [opened]}

    def _read_secrets(self, home: Path, pgdata: Path) -> str:
        """Password and signing secret live as long as the data, so that tokens outlive a restart."""
        file = home / "stack.json"
        if not file.exists():
            if pgdata.exists():
                raise Failure(
                    f"{home} holds a database that LocalSupabase did not make; choose another data_dir"
                )
            unfinished = home / "stack.json.unfinished"
            unfinished.touch(0o600)
            unfinished.write_text(
                json.dumps({"password": secrets.token_hex(16), "jwt_secret": secrets.token_hex(32)})
            )
            unfinished.replace(file)
        known = json.loads(file.read_text())
        self.password = known["password"]
        return known["jwt_secret"]

    # --- PostgreSQL

    def _init_database(self, pgdata: Path) -> None:
        unfinished = pgdata.with_name("pgdata.unfinished")  # left by a start that was killed
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(0o700)
        password_file = self.folder / "password"
        password_file.touch(0o600)
        password_file.write_text(self.password)
        if self.user:
            os.chown(unfinished, self.user["user"], self.user["group"])
            os.chown(password_file, self.user["user"], self.user["group"])
        path, options = self._data_path(unfinished)
        command = [
            f"{self.bin}/initdb",
            f"--pgdata={path}",
            "--username=supabase_admin",
            "--encoding=UTF8",
        ]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        if (
            self._version() >= 17
        ):  # the same order and upper case everywhere, whatever the system knows
            command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        else:
            command += ["--locale=C.UTF-8"]
        if not self.kept:
            command += ["--no-sync"]
        run(command, **options)
        password_file.unlink()
        unfinished.rename(pgdata)

    def _version(self) -> int:
        match = re.search(r"\) (\d+)", run([f"{self.bin}/postgres", "--version"], **self.user))
        return int(match.group(1)) if match else 0

    def _start_postgres(self, pgdata: Path) -> None:
        made_by, version = (pgdata / "PG_VERSION").read_text().strip(), self._version()
        if made_by != str(version):
            raise Failure(
                f"{pgdata} was made by PostgreSQL {made_by}, and this is {version}; choose another data_dir"
            )
        _stop_leftover(pgdata)
        path, user = self._data_path(pgdata)
        for attempt in range(6):
            self.database_port = _free_port()
            options = [
                f"port={self.database_port}",
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
            ]
            options += [] if self.kept else _SHORT_LIVED
            command = [
                f"{self.bin}/postgres",
                "-D",
                path,
                *(part for o in options for part in ("-c", o)),
            ]
            # SIGINT ends every session and shuts down cleanly; SIGQUIT does not write what nobody will read.
            how = signal.SIGINT if self.kept else signal.SIGQUIT
            process = self._spawn("postgres", command, how, **user)
            try:
                self._await("postgres", process, lambda: _postmaster_line(pgdata, 7) == "ready")
                return
            except Failure as failure:
                if attempt == 5 or not any(text in str(failure) for text in _MAY_PASS):
                    raise
                self.processes.pop()
                time.sleep(0.2)

    def _psql(self, *arguments: str, role: str = "postgres", stdin: str = "") -> str:
        return psql(self.bin, self.database_port, self.password, *arguments, role=role, stdin=stdin)

    def _bootstrap(self) -> None:
        done = self._psql(
            "--command=select 1 from pg_roles where rolname = 'authenticator'",
            role="supabase_admin",
        )
        if not done:
            wanted = "on" if self.settings["default_privileges"] else "off"
            script = (f"--set=default_privileges={wanted}", f"--file={HERE / 'bootstrap.sql'}")
            self._psql("--single-transaction", *script, role="supabase_admin")

    def _migrate(self, folder: Path) -> None:
        """Apply what is new, each file in one transaction, and record it as the Supabase CLI does."""
        self._psql(f"--command={_HISTORY}")
        applied = set(
            self._psql(
                "--command=select version from supabase_migrations.schema_migrations"
            ).split()
        )
        for file in sorted(folder.glob("*.sql")):
            match = re.fullmatch(r"([0-9]+)_(.*)\.sql", file.name)
            if match is None or match.group(1) in applied:
                continue
            text = file.read_text(encoding="utf-8")
            tag = next(f"$f{n}$" for n in range(1000) if f"$f{n}$" not in text)
            record = (
                "insert into supabase_migrations.schema_migrations (version, name, statements) "
                f"values (:'version', :'name', array[{tag}{text}{tag}]);"
            )
            variables = [f"--set=version={match.group(1)}", f"--set=name={match.group(2)}"]
            self._psql(
                "--single-transaction", *variables, f"--file={file}", "--file=-", stdin=record
            )

    # --- PostgREST and Caddy

    def _start_postgrest(self, jwt_secret: str) -> Path:
        listen_at = self.folder / "postgrest.sock"
        login = (
            f"postgresql://authenticator:{self.password}@127.0.0.1:{self.database_port}/postgres"
        )
        config: dict[str, object] = {
            "db-uri": login,
            "db-schemas": "public",
            "db-extra-search-path": "public, extensions",
            "db-anon-role": "anon",
            "db-pool": 20,
            "db-pool-acquisition-timeout": 30,  # many clients on few cores wait rather than fail
            "db-plan-enabled": True,
            "jwt-secret": jwt_secret,
            "server-unix-socket": str(listen_at),
            "log-level": "error",
        }
        if self.settings["max_rows"] is not None:
            config["db-max-rows"] = self.settings["max_rows"]
        file = self.folder / "postgrest.conf"
        file.touch(0o600)
        file.write_text(
            "".join(
                f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
                for key, value in config.items()
            )
        )
        process = self._spawn("postgrest", [self.settings["postgrest"], str(file)], signal.SIGTERM)
        log = self.folder / "postgrest.log"
        lines = (SCHEMA_LOADED, "Listening for notifications")
        self._await(
            "postgrest",
            process,
            lambda: all(line in log.read_text(errors="replace") for line in lines),
        )
        return listen_at

    def _listen(self, port: int) -> socket.socket:
        try:
            return socket.create_server(("127.0.0.1", port), backlog=512)
        except OSError as exc:
            raise Failure(
                f"port {port} of 127.0.0.1 cannot be used ({exc.strerror}); choose another, or 0"
            ) from exc

    def _start_caddy(self, listener: socket.socket, postgrest_socket: Path) -> int:
        port = listener.getsockname()[1]
        command = [
            self.settings["caddy"],
            "run",
            "--config",
            str(HERE / "Caddyfile"),
            "--adapter",
            "caddyfile",
        ]
        folders = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(self.folder))
        variables = {"TV_LISTEN": str(listener.fileno()), "TV_POSTGREST": str(postgrest_socket)}
        env = {**environment(), **folders, **variables}
        process = self._spawn(
            "caddy", command, signal.SIGTERM, pass_fds=[listener.fileno()], env=env
        )
        listener.close()
        self._await("caddy", process, lambda: _answers(port))
        return port

    # --- processes

    def _spawn(
        self, name: str, command: list[str], how: signal.Signals, **options: Any
    ) -> subprocess.Popen[Any]:
        """Start a program that is ended by the signal `how`, also (where the system can) if this process is killed."""
        options = {"env": environment(), "preexec_fn": _ended_with_parent(how), **options}
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                **options,
            )
        self.processes.append((process, how))
        return process

    def _await(self, name: str, process: subprocess.Popen[Any], ready: Callable[[], bool]) -> None:
        def ended_or_ready() -> bool:
            return process.poll() is not None or ready()

        try:
            _wait(f"starting {name}", ended_or_ready, _START_TIMEOUT)
            if process.poll() is not None:
                raise Failure(f"{name} ended with code {process.returncode}")
        except Failure as failure:
            log = (self.folder / f"{name}.log").read_text(errors="replace").strip()
            raise Failure(f"{failure}; the end of its log:\n{log[-3000:]}") from None


def _wait(what: str, ready: Callable[[], bool], timeout: float, *, every: float = 0.01) -> None:
    deadline = time.monotonic() + timeout
    while not ready():
        if time.monotonic() > deadline:
            raise Failure(f"{what} took longer than {timeout:.0f} seconds")
        time.sleep(every)


def _as_nobody() -> dict[str, Any]:
    entry = pwd.getpwnam("nobody")
    return _as_user(entry.pw_uid, entry.pw_gid)


def _as_user(user: int, group: int) -> dict[str, Any]:
    return {"user": user, "group": group, "extra_groups": []}


def _reachable(folder: Path, user: dict[str, Any]) -> bool:
    try:
        run(["test", "-x", str(folder)], **user)
    except Failure:
        return False
    return True


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def _postmaster_line(pgdata: Path, number: int) -> str:
    try:
        return (pgdata / "postmaster.pid").read_text().splitlines()[number].strip()
    except (FileNotFoundError, IndexError):
        return ""


def _stop_leftover(pgdata: Path) -> None:
    """Stop a PostgreSQL of this folder that outlived its supervisor; the lock says that nobody uses it."""
    line = _postmaster_line(pgdata, 0)
    if not line.isdecimal():
        return
    pid = int(line)
    if _runs_on(pid, pgdata):
        os.kill(pid, signal.SIGINT)
        what = "stopping a PostgreSQL left over from an earlier start"
        _wait(what, lambda: not _runs_on(pid, pgdata), _STOP_TIMEOUT)
    (pgdata / "postmaster.pid").unlink(
        missing_ok=True
    )  # the number may be that of another process by now


def _runs_on(pid: int, pgdata: Path) -> bool:
    """Whether this process is a PostgreSQL of this folder: its working directory is the folder."""
    if sys.platform == "linux":
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            return name == "postgres" and Path(f"/proc/{pid}/cwd").samefile(pgdata)
        except OSError:
            return False
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return f"-D {pgdata} " in listed.stdout


def _ended_with_parent(how: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    parent_death_signal = 1
    return partial(ctypes.CDLL(None).prctl, parent_death_signal, int(how))


def _reply(answer: Ready | dict[str, str]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run one stack until standard input closes."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(0)

    ending = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in ending:
        signal.signal(number, leave)
    supervisor = Supervisor(json.loads(sys.stdin.readline()))
    try:
        _reply(supervisor.start())
        sys.stdin.read()
    except Failure as failure:
        _reply({"error": str(failure)})
    except Exception as exc:
        _reply({"error": f"{type(exc).__name__}: {exc}"})
    finally:
        for number in ending:
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop()


if __name__ == "__main__":
    main()
