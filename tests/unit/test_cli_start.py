"""How the command line starts: what it imports, its list of commands, and completion."""

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from shlex import quote

import click
import pytest

from tests.data import VERSION
from training_versions import AutosaveConflictError, UnreadableReplyError, UnreadableRow, errors
from training_versions.cli import exits
from training_versions.cli.app import load_command
from training_versions.cli.command import Command
from training_versions.cli.completion import complete
from training_versions.cli.context import Session
from training_versions.cli.index import MODULES, SUMMARIES, help_text
from training_versions.cli.shell_words import SENTENCES, in_shell_words
from training_versions.operations.clients import unusable_client
from training_versions.operations.training import iterate_runs

ROOT = Path(__file__).parents[2]


def every_command() -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name in MODULES:
        made = load_command(name)
        assert made is not None
        found.append((name, made))
        if isinstance(made, click.Group):
            found += [(f"{name} {part}", inner) for part, inner in made.commands.items()]
    return found


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        (["-h"], {}),
        (["--version"], {}),
        ([], {"COMP_WORDS": "training-versions\npub", "COMP_CWORD": "1", "SHELL_ASKS": "bash"}),
    ],
    ids=["help", "h", "version", "completion"],
)
def test_help_and_completion_import_nothing_that_takes_time(
    arguments: list[str], environment: dict[str, str]
) -> None:
    shell = environment.pop("SHELL_ASKS", None)
    if shell is not None:
        environment["_TRAINING_VERSIONS_COMPLETE"] = f"{shell}_complete"
    code = f"""
import sys
from training_versions.cli import main
try:
    main({arguments!r})
finally:
    print([*sys.modules], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )

    loaded = {name.partition(".")[0] for name in ast.literal_eval(done.stderr)}
    assert done.stdout
    # Each of the second line would take a tenth to a half of the time in which Python starts.
    assert not loaded & {
        *("click", "rich", "rich_click", "supabase", "postgrest", "pydantic", "httpx"),
        *("typing", "pathlib", "shutil", "json", "email", "shlex"),
    }


def test_help_takes_at_most_two_and_a_half_times_as_long_as_python() -> None:
    """The time of the processor, and the least of several: other programs run meanwhile."""

    def seconds(code: str) -> float:
        child = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", code],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
        )
        _, status, used = os.wait4(child, 0)
        assert status == 0
        return used.ru_utime + used.ru_stime

    bare = min(seconds("pass") for _ in range(5))
    ours = "from training_versions.cli import main; main(['--help'])"

    assert min(seconds(ours) for _ in range(5)) <= 2.5 * bare


@pytest.mark.parametrize(
    ("missing", "command", "extras"),
    [
        ("click", "packages", "cli"),
        ("rich", "demo", "cli,local,web"),
        ("rich_click", "doctor", "cli,doctor"),
    ],
)
def test_without_the_extra_commands_say_what_to_install(
    missing: str, command: str, extras: str
) -> None:
    code = f"""
import importlib.util, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == {missing!r} else find_spec(name)
from training_versions.cli import main
sys.exit(main([{command!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr == (
        "error: this command needs the extra 'cli'\n"
        f"hint: pip install 'training-versions[{extras}]'\n"
    )


def test_without_a_command_the_list_of_them_is_no_success(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from training_versions.cli import main

    assert main([]) == 2
    assert capsys.readouterr() == ("", help_text())
    assert main(["--help"]) == 0
    assert capsys.readouterr() == (help_text(), "")


@pytest.mark.parametrize("arguments", [["--help"], [], ["migrations", "copies ✓"]])
def test_a_stream_that_lacks_a_character_gets_it_escaped(
    tmp_path: Path, arguments: list[str]
) -> None:
    code = f"import sys; from training_versions.cli import main; sys.exit(main({arguments!r}))"

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )

    assert "Traceback" not in done.stderr
    assert re.search(r"\\u(2026|2713)", done.stdout + done.stderr)


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_list_of_commands_fits_the_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    text = help_text()

    prose, _, _ = text.partition("Examples:")
    _, _, commands = prose.partition("\n\n")
    assert max(map(len, commands.partition("\n\n")[2].splitlines())) <= columns
    assert all(f"  {name}" in text for name in SUMMARIES)


@pytest.mark.parametrize(
    ("name", "made"), every_command(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_is_listed_as_it_says_itself_and_has_an_example(
    name: str, made: click.Command
) -> None:
    assert made.help
    if name in SUMMARIES:
        # Whole sentences may follow the first one, which the list shows.
        first = made.help.split("\n\n")[0].replace("\n", " ").removesuffix(".")
        assert SUMMARIES[name].removesuffix(".") in first
    if isinstance(made, Command):
        assert made.example
        for line in made.example:
            assert f"training-versions {name}" in " ".join(made.example)
            assert len(line) <= 100
    for parameter in made.params:
        if isinstance(parameter, click.Option):
            assert parameter.help


@pytest.mark.parametrize(
    ("page", "extras"),
    [
        ("command-line.md", {"cli"}),
        ("doctor.md", {"cli", "doctor"}),
        ("rest.md", {"api", "cli"}),
        ("web.md", {"cli", "web"}),
    ],
)
def test_pages_say_all_that_their_command_needs(page: str, extras: set[str]) -> None:
    text = (ROOT / "docs" / page).read_text()

    named = re.search(r"pip install ['\"]training-versions\[([\w,]+)\]", text)
    assert named is not None
    assert set(named[1].split(",")) == extras


def _typed_in_docs() -> list[str]:
    """Return each line of a block of code that has our commands."""
    found: list[str] = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for block in re.findall(r"^```(?:sh|console)\n(.*?)^```", page.read_text(), re.S | re.M):
            found += [line for line in block.splitlines() if "training-versions " in line]
    return found


_EXAMPLES = [
    line for _, made in every_command() if isinstance(made, Command) for line in made.example
]


@pytest.mark.parametrize("line", sorted({*_EXAMPLES, *_typed_in_docs()}))
def test_whatever_is_shown_can_be_typed(line: str) -> None:
    """Names, options and how many arguments there are; `test_commands.py` runs most of it."""
    line = line.replace('"$run"', "3b1c0d7e-0000-4000-8000-000000000000")
    for typed in re.findall(r"training-versions ([^|<>#)\]]+)", line):
        name, *arguments = shlex.split(typed)
        if name in SUMMARIES and name not in MODULES:
            # Those of argparse take a folder as well; `test_migrations.py` runs them.
            continue
        made = load_command(name)
        if isinstance(made, click.Group):
            made = made.commands[arguments.pop(0)]
        assert made is not None
        made.make_context(name, arguments, obj=Session())


def test_what_is_derived_from_the_commands_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "cli_reference.py", "--check"],
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInputError, 2),
        (errors.NotFoundError, 3),
        (errors.PermissionDeniedError, 4),
        (errors.NotSignedInError, 4),
        (errors.ConflictError, 5),
        (AutosaveConflictError, 5),
        (errors.ConnectionFailedError, 6),
        (errors.OutcomeUnknownError, 6),
        (errors.UnavailableError, 6),
        (errors.RejectedError, 1),
        (errors.SchemaMismatchError, 1),
        (errors.UnreadableReplyError, 1),
        (errors.DatabaseError, 1),
    ],
)
def test_every_error_of_the_sdk_has_its_status(
    error: type[errors.TrainingVersionsError], status: int
) -> None:
    assert exits.status_of(error("x")) == status


def test_the_documentation_shows_every_exit_status() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")

    for status, meaning in exits.MEANINGS.items():
        assert f"| {status} | {meaning} |" in page


# --- completion


@pytest.mark.parametrize(
    ("shell", "words", "position", "answer"),
    [
        ("bash", "training-versions\npub", "1", "plain,publish\n"),
        ("bash", "training-versions\npublish\n--dr", "2", "plain,--dry-run\n"),
        ("bash", "training-versions\nversions\na b\n--status\npub", "4", "plain,published\n"),
        ("bash", "training-versions\ndeploy\nbot@3\nhf", "3", "plain,hf_space\n"),
        ("bash", "training-versions\nedit\nbot\n--from\n", "4", "file,\n"),
        ("bash", "training-versions\n--ver", "1", "plain,--version\n"),
        ("bash", "training-versions\nno-such\n--x", "2", ""),
        ("zsh", "training-versions arch", "1", "plain\narchive\nArchive a published version.\n"),
        ("zsh", "training-versions diff 'my bot' --js", "3", "plain\n--json\nPrint JSON.\n"),
        ("fish", "training-versions undep", "undep", "plain,undeploy\tTake a version down.\n"),
        ("fish", "training-versions publish ", "", ""),
    ],
)
def test_words_are_completed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shell: str,
    words: str,
    position: str,
    answer: str,
) -> None:
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", position)

    assert complete(f"{shell}_complete") == 0
    assert capsys.readouterr().out == answer


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_that_of_click(
    capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    assert complete(f"{shell}_source") == 0
    assert "_TRAINING_VERSIONS_COMPLETE=" + f"{shell}_complete" in capsys.readouterr().out


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert complete("elvish_source") == 2
    assert complete("elvish_complete") == 1


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    script = tmp_path / "complete.sh"
    program = Path(sys.executable).with_name("training-versions")
    asked = subprocess.run(
        [program],
        env=os.environ | {"_TRAINING_VERSIONS_COMPLETE": "bash_source"},
        capture_output=True,
        text=True,
        check=True,
    )
    script.write_text(asked.stdout)
    typed = (
        f'export PATH={quote(str(program.parent))}:"$PATH"; source {quote(str(script))}; '
        "COMP_WORDS=(training-versions und); COMP_CWORD=1; "
        '_training_versions_completion training-versions; echo "${COMPREPLY[@]}"'
    )

    done = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, timeout=60)

    assert done.stdout == "undeploy\n", done.stderr


def test_rows_that_cannot_be_read_are_told_without_words_of_python() -> None:
    listing = iterate_runs(VERSION, order="newest", page_size=1)

    with pytest.raises(UnreadableReplyError) as caught:
        listing.check_all_read([UnreadableRow(1, "no", None)])

    hint = in_shell_words(str(caught.value.hint))
    assert hint == "Is there a newer release of training-versions?"


def test_every_sentence_that_the_command_line_words_anew_is_one_of_the_sdk() -> None:
    sources = ROOT / "src/training_versions"
    texts = [(ROOT / "supabase/schema.sql").read_text().replace("''", "'")]
    texts.append((sources / "local/_supervisor/Caddyfile").read_text())
    for folder in ("operations", "snapshots", "doctor"):
        for file in (sources / folder).rglob("*.py"):
            parts = ast.walk(ast.parse(file.read_text()))
            texts += [str(part.value) for part in parts if isinstance(part, ast.Constant)]
    texts.append(unusable_client("asks at").message)

    whole = "\n".join(texts)
    missing = [sentence for sentence in SENTENCES if sentence not in whole]

    assert missing == []
