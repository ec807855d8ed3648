"""The README, the docs and the examples are true: they run, and print what they say.

Every code block is run on the real stack. Where a `text` block stands right below it, that is what
it has to print. The table of refusals in `docs/migrations.md` is compared with the migrations.
"""

import contextlib
import inspect
import io
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
import supabase

from training_versions import PackageRepository, VersionRepository
from training_versions.cli.demo import fill
from training_versions.local import LocalSupabase

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "supabase" / "migrations"

BLOCK = re.compile(
    r"""
    ^(?P<indent>\ *)```(?P<language>\w+)\n
    (?P<code>.*?)
    ^(?P=indent)```\n
    (?:
        \s*^(?P=indent)```text\n
        (?P<result>.*?)
        ^(?P=indent)```\n
    )?
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


class Block(NamedTuple):
    """A block of code, and the result below it: `None` if there is none."""

    code: str
    result: str | None


def read(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def find_blocks(file: str, language: str) -> list[Block]:
    """Return the code blocks in one language."""
    blocks: list[Block] = []
    for match in BLOCK.finditer(read(file)):
        if match["language"] != language:
            continue
        result = None
        if match["result"] is not None:
            result = textwrap.dedent(match["result"]).strip()
        blocks.append(Block(textwrap.dedent(match["code"]), result))
    return blocks


def first_column(file: str, header: str) -> list[str]:
    """Return what the first column of a table has in backticks; `header` selects the table."""
    table = read(file).partition(f"\n| {header} |")[2].partition("\n\n")[0]
    names: list[str] = []
    for row in table.splitlines()[2:]:
        names += re.findall(r"`(\w[\w.]*)`", row.split("|")[1])
    return names


def run_block(code: str, file: str, names: dict[str, object]) -> str | None:
    """Run a block with the names that earlier blocks defined, and return what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(code, file, "exec"), names)
    return output.getvalue().strip() or None


def run_script(script: Path, folder: Path, **variables: str) -> str:
    """Run a script in a new process, check that it succeeds, and return what it printed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("SUPABASE_")}
    process = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        env=env | variables,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def processes_with(variable: str) -> list[str]:
    """Return the processes that have this in their environment, by their command lines."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        # A process may end while it is looked at.
        with contextlib.suppress(OSError):
            if variable.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
    return found


@pytest.fixture(scope="module")
def project() -> Iterator[LocalSupabase]:
    """A project for the docs alone: other tests leave rows that no client could have made."""
    with LocalSupabase() as running:
        yield running


class TestReadme:
    def test_the_first_example_and_its_refused_write_print_what_it_says(
        self, tmp_path: Path
    ) -> None:
        example, refused_write, *_ = find_blocks("README.md", "python")
        script = tmp_path / "example.py"
        script.write_text(example.code + textwrap.indent(refused_write.code, "    "))

        output = run_script(script, tmp_path)

        assert output.strip() == f"{example.result}\n{refused_write.result}"

    def test_the_other_examples_run_on_a_project(
        self, stack: LocalSupabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        client = stack.sign_in("readme@example.com")
        monkeypatch.setattr(supabase, "create_client", lambda url, key: client)
        monkeypatch.setattr(client.auth, "sign_in_with_password", lambda credentials: None)
        packages = PackageRepository(client)
        versions = VersionRepository(client)
        package = packages.create("bot", template_type="lora_finetuning", config={})
        names: dict[str, object] = {"package": package}
        for name in ("first", "second"):
            draft = versions.create_draft(package.id, config={"r": 8}, model={}, dataset=[])
            names[name] = versions.publish(draft.id)

        for block in find_blocks("README.md", "python")[2:]:
            run_block(block.code, "README.md", names)

        assert isinstance(names["versions"], VersionRepository)
        assert names["latest"].config_snapshot.r == 8  # type: ignore[attr-defined]


class TestReadmeCommands:
    """The commands and the request of the README, on the content of the demo."""

    @pytest.fixture
    def environment(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[VersionRepository]:
        with LocalSupabase() as running:
            account = fill(running).ada
            ada = account.email
            self.password = account.password
            monkeypatch.setenv("SUPABASE_URL", running.url)
            monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", running.publishable_key)
            monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", running.token(ada))
            programs = str(Path(sys.executable).parent)
            monkeypatch.setenv("PATH", os.pathsep.join([programs, os.environ["PATH"]]))
            yield VersionRepository(running.sign_in(ada))

    def test_they_run_and_do_what_it_says(self, environment: VersionRepository) -> None:
        (commands,) = [
            block.code for block in find_blocks("README.md", "sh") if "diff" in block.code
        ]
        (request,) = [
            block.code for block in find_blocks("README.md", "sh") if "curl" in block.code
        ]

        printed = run_shell(commands)
        with serving() as api:
            request = request.replace("http://127.0.0.1:8000/api/training", api)
            request = request.replace("…", self.password)
            page = json.loads(run_shell(request))

        assert "/config_snapshot/lora/target_modules" in printed
        (restored,) = environment.list(status="published", limit=1)
        assert restored.change_summary == "Restored from version 4"
        assert page["items"][0]["id"] == str(restored.id)

    def test_its_picture_is_there(self) -> None:
        pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", read("README.md"))

        assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []
        assert len(pictures) == 1


def run_shell(code: str) -> str:
    """Run commands, of which each must succeed, and return what they print."""
    process = subprocess.run(["sh", "-e", "-c", code], capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
    return process.stdout


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Serve the project of the environment, and yield the address of the endpoints."""
    command = ["training-versions", "serve", "--api-only", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            facts = dict(server.stdout.readline().rstrip("\n").split("\t") for _ in range(3))
            yield facts["api"]
        finally:
            server.terminate()


def test_every_block_of_the_guide_runs_and_prints_the_result_below_it(
    project: LocalSupabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = "docs/after-the-draft.md"
    names: dict[str, object] = {"client": project.sign_in("guide@example.com")}

    for block in find_blocks(file, "python"):
        assert run_block(block.code, file, names) == block.result


@pytest.mark.parametrize("block", find_blocks("docs/local-stack.md", "python"))
def test_each_block_about_the_stack_runs_and_prints_the_result_below_it(
    block: Block, tmp_path: Path
) -> None:
    script = tmp_path / "block.py"
    script.write_text(block.code)

    assert run_script(script, tmp_path).strip() == block.result


def test_the_page_about_the_stack_names_every_option_and_attribute() -> None:
    text = read("docs/local-stack.md")
    names = [name for name in vars(LocalSupabase) if not name.startswith("_")]
    options = list(inspect.signature(LocalSupabase).parameters)

    assert [name for name in names + options if not re.search(rf"`{name}\b|, {name}\b", text)] == [
        *("start", "stop", "user_id")
    ]


def test_the_page_about_callers_shows_what_its_example_does() -> None:
    example = read("examples/fastapi_app.py")

    blocks = find_blocks("docs/acting-for-callers.md", "python")

    assert len(blocks) == 2
    assert [block.code for block in blocks if block.code not in example] == []


class TestMigrationsPage:
    @pytest.mark.parametrize("block", find_blocks("docs/migrations.md", "sql"))
    def test_each_sql_block_runs_and_prints_the_result_below_it(
        self, project: LocalSupabase, block: Block
    ) -> None:
        project.user_id("operator@example.com")

        printed = project.psql(block.code).strip()

        assert block.result is None or printed == block.result

    def test_it_has_the_six_checks_of_the_first_release(self) -> None:
        blocks = find_blocks("docs/migrations.md", "sql")

        assert len([block for block in blocks if block.result is not None]) >= 6

    def test_its_rollback_repairs_the_history_of_every_migration(self, tmp_path: Path) -> None:
        (block,) = [
            block for block in find_blocks("docs/migrations.md", "sh") if "repair" in block.code
        ]
        for program in ("psql", "supabase"):
            (tmp_path / program).write_text('#!/bin/sh\necho "$@"\n')
            (tmp_path / program).chmod(0o755)
        path = os.pathsep.join(
            [str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]
        )

        output = subprocess.run(
            ["sh", "-e", "-c", block.code],
            cwd=tmp_path,
            env=os.environ | {"PATH": path, "DATABASE_URL": "postgresql://project"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout

        repaired = output.partition("--status reverted ")[2].split()
        assert repaired == sorted(path.name[:14] for path in MIGRATIONS.glob("*.sql"))

    def test_it_lists_every_refusal(self) -> None:
        codes: set[str] = set()
        for migration in MIGRATIONS.glob("*.sql"):
            codes.update(re.findall(r"\bTV\d{3}\b", migration.read_text(encoding="utf-8")))

        listed = first_column("docs/migrations.md", "code")

        assert sorted(listed) == sorted(codes)


EXAMPLES = {
    "quickstart.py": (
        "latest         support-bot-v2",
        "refused        ConflictError: version 1 of 'support-bot' is published",
        "another user   finds 0 versions, and None by its id",
    ),
    "compare_and_restore.py": (
        "of these in the config:",
        "their content differs in 0 places",
        "descends from support-bot-v2, support-bot-v1",
    ),
    "training_run.py": (
        "80 % of the budget",
        "completed, cost 0.08",
        "live         version 1",
        "training_completed",
    ),
    "autosave.py": ("closed",),
    "fastapi_app.py": ("ada sees bot of ada\n", "eve sees bot of eve\n", "nobody gets 401"),
}
EXAMPLES["quickstart_async.py"] = EXAMPLES["quickstart.py"]


class TestExamples:
    def test_every_example_is_run(self) -> None:
        files = {file.name for file in (ROOT / "examples").glob("*.py")}

        assert files == {*EXAMPLES, "connect.py"}

    @pytest.mark.parametrize("example", EXAMPLES)
    def test_it_succeeds_and_leaves_no_process(self, example: str, tmp_path: Path) -> None:
        mark = uuid4().hex

        output = run_script(ROOT / "examples" / example, tmp_path, TRAINING_VERSIONS_TEST=mark)

        assert [part for part in EXAMPLES[example] if part not in output] == []
        assert processes_with(mark) == []

    @pytest.mark.parametrize(
        ("variable", "key"),
        [
            ("SUPABASE_PUBLISHABLE_KEY", "publishable_key"),
            ("SUPABASE_SECRET_KEY", "secret_key"),
            ("SUPABASE_KEY", "anon_key"),
        ],
    )
    def test_it_runs_on_the_project_that_the_environment_names(
        self, stack: LocalSupabase, tmp_path: Path, variable: str, key: str
    ) -> None:
        variables = {"SUPABASE_URL": stack.url, variable: getattr(stack, key)}
        for user in ("SUPABASE", "SUPABASE_OTHER"):
            email = f"{uuid4()}@example.com"
            stack.client().auth.sign_up({"email": email, "password": "correct horse"})
            variables |= {f"{user}_EMAIL": email, f"{user}_PASSWORD": "correct horse"}

        output = run_script(ROOT / "examples" / "quickstart.py", tmp_path, **variables)

        assert [part for part in EXAMPLES["quickstart.py"] if part not in output] == []
        owner = stack.user_id(variables["SUPABASE_EMAIL"])
        owned = "select count(*) from training_configs where user_id = :'owner';"
        assert stack.psql(owned, owner=str(owner)) == "1\n"
