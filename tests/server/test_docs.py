"""README, docs and examples say what is so: every block is run, and where a result stands below it, compared."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import supabase

from training_versions import PackageRepository, VersionRepository
from training_versions.local import LocalSupabase

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"^( *)```(\w+)\n(.*?)^\1```\n(?:\s*^\1```text\n(.*?)^\1```\n)?", re.MULTILINE | re.DOTALL
)


def blocks(file: str, language: str) -> list[tuple[str, str | None]]:
    """The code blocks of a language, each with the result that stands right below it."""
    found: list[tuple[str, str | None]] = []
    for _, lang, code, result in BLOCK.findall((ROOT / file).read_text(encoding="utf-8")):
        if lang == language:
            found.append((textwrap.dedent(code), textwrap.dedent(result).strip() or None))
    return found


def run(script: Path, folder: Path, **variables: str) -> str:
    """Run a script to its good end, and return what it printed."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith("SUPABASE_")
    } | variables
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def processes_with(variable: str) -> list[str]:
    """The processes that were started, directly or not, with this in their environment."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if variable.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
    return found


@pytest.fixture(scope="module")
def project() -> Iterator[LocalSupabase]:
    """A project that only the guide is tried on: other tests leave rows that no client could have made."""
    with LocalSupabase() as running:
        yield running


@pytest.mark.parametrize(("sql", "result"), blocks("docs/migrations.md", "sql"))
def test_each_sql_block_of_the_guide_runs_and_prints_what_stands_below_it(
    project: LocalSupabase, sql: str, result: str | None
) -> None:
    project.user_id("guide@example.com")

    printed = project.psql(sql)

    assert result is None or printed.strip() == result


def test_the_guide_has_the_six_checks_of_the_first_release() -> None:
    checked = [result for _, result in blocks("docs/migrations.md", "sql") if result is not None]

    assert len(checked) >= 6


def test_the_first_example_of_the_readme_and_its_refused_write_print_what_it_says(
    tmp_path: Path,
) -> None:
    (example, printed), (refused, refusal), *_ = blocks("README.md", "python")
    script = tmp_path / "example.py"
    script.write_text(example + textwrap.indent(refused, "    "))

    output = run(script, tmp_path)

    assert output.strip() == f"{printed}\n{refusal}"


def test_the_other_examples_of_the_readme_run_on_a_project(
    stack: LocalSupabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = stack.sign_in("readme@example.com")
    monkeypatch.setattr(supabase, "create_client", lambda url, key: client)
    monkeypatch.setattr(client.auth, "sign_in_with_password", lambda credentials: None)
    package = PackageRepository(client).create("bot", template_type="lora_finetuning", config={})
    plain = VersionRepository(client)
    first = plain.publish(plain.create_draft(package.id, config={"r": 8}, model={}, dataset=[]).id)
    second = plain.publish(plain.create_draft(package.id, config={"r": 8}, model={}, dataset=[]).id)
    names: dict[str, object] = {"package": package, "first": first, "second": second}

    for example, _ in blocks("README.md", "python")[2:]:
        exec(compile(example, "README.md", "exec"), names)

    assert isinstance(names["versions"], VersionRepository)
    assert names["latest"].config_snapshot.r == 8  # type: ignore[attr-defined]


def test_every_block_on_what_comes_after_the_draft_runs_and_prints_what_stands_below_it(
    project: LocalSupabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"client": project.sign_in("after@example.com")}
    said: list[tuple[str, str | None]] = []
    told = blocks("docs/after-the-draft.md", "python")

    for code, _ in told:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(code, "after-the-draft.md", "exec"), names)
        said.append((code, out.getvalue().strip() or None))

    assert said == told


EXAMPLES = {
    "quickstart.py": (
        "latest         support-bot-v2",
        "refused        ConflictError: version 1 is published",
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
}
EXAMPLES["quickstart_async.py"] = EXAMPLES["quickstart.py"]


def test_every_example_is_run() -> None:
    assert {file.name for file in (ROOT / "examples").glob("*.py")} == {*EXAMPLES, "connect.py"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_ends_well_and_leaves_no_process(example: str, tmp_path: Path) -> None:
    mark = uuid4().hex

    output = run(ROOT / "examples" / example, tmp_path, TRAINING_VERSIONS_TEST=mark)

    assert [part for part in EXAMPLES[example] if part not in output] == []
    assert processes_with(mark) == []


def test_the_example_runs_on_the_project_that_the_environment_names(
    stack: LocalSupabase, tmp_path: Path
) -> None:
    # The embedded stack has no sign-up: a stand-in answers for it, and hands out the stack's own token.
    session = {
        "access_token": stack.token("hosted@example.com"),
        "refresh_token": "r",
        "token_type": "bearer",
        "expires_in": 3600,
        "user": {
            "id": str(stack.user_id("hosted@example.com")),
            "aud": "authenticated",
            "app_metadata": {},
            "user_metadata": {},
            "created_at": "2026-01-01T00:00:00Z",
        },
    }
    script = tmp_path / "hosted.py"
    script.write_text(
        textwrap.dedent(f"""
            import json, runpy, sys
            import respx
            sys.path.insert(0, {str(ROOT / "examples")!r})
            with respx.mock(assert_all_called=True) as mock:
                mock.post(path="/auth/v1/token").respond(json=json.loads({json.dumps(session)!r}))
                mock.route(path__startswith="/rest/v1").pass_through()
                runpy.run_path({str(ROOT / "examples" / "quickstart.py")!r}, run_name="__main__")
        """)
    )

    output = run(
        script,
        tmp_path,
        SUPABASE_URL=stack.url,
        SUPABASE_KEY=stack.anon_key,
        SUPABASE_EMAIL="hosted@example.com",
        SUPABASE_PASSWORD="secret",
    )

    assert "latest         support-bot-v2" in output
