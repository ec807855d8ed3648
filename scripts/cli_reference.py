"""Write what is derived from the commands: the reference, the words for completion, the schema.

`--check` changes nothing, and fails if one of them is stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter

from training_versions.cli import exits
from training_versions.cli.app import load_command
from training_versions.cli.command import Command
from training_versions.cli.context import Session
from training_versions.cli.index import MODULES, TOPICS
from training_versions.cli.migrations import PARTS, parser
from training_versions.cli.results import MIGRATIONS

ROOT = Path(__file__).parents[1]
CLI = ROOT / "src" / "training_versions" / "cli"
WORDS = CLI / "words.py"
SCHEMA = CLI / "output-schema.json"
PAGE = ROOT / "docs" / "command-line.md"
BEGIN = "<!-- begin: written by `make reference` -->\n"
END = "<!-- end -->\n"


def commands(names: object = None) -> Iterator[tuple[str, click.Command]]:
    """Go through all commands and the parts of those that have parts, by their full names."""
    for name in MODULES:
        made = load_command(name)
        assert made is not None
        yield name, made
        if isinstance(made, click.Group):
            for part, inner in made.commands.items():
                yield f"{name} {part}", inner


# --- words


def words() -> str:
    """Return the module with the words of every command."""
    table = {name: _words_of(made) for name, made in commands()}
    table |= _plain_words()
    head = (
        '"""The words of every command, for completion; written by `make reference`."""\n\n'
        "# ruff: noqa: E501\n"
        "# fmt: off\n"
        'WORDS: "dict[str, dict[str, dict[str, str]]]" = '
    )
    return f"{head}{json.dumps(table, indent=4)}\n"


def _words_of(made: click.Command) -> dict[str, dict[str, str]]:
    options: dict[str, str] = {}
    choices: dict[str, str] = {}
    files: dict[str, str] = {}
    for parameter in made.params:
        names = parameter.opts + parameter.secondary_opts
        if isinstance(parameter, click.Option):
            if parameter.hidden:
                continue
            for name in names:
                options[name] = parameter.help or ""
        else:
            names = [""]
        for name in names:
            if isinstance(parameter.type, click.Choice):
                choices[name] = " ".join(map(str, parameter.type.choices))
            if parameter.metavar == "FILE":
                files[name] = ""
    options["-h"] = options["--help"] = "Show how it is used."
    parts: dict[str, str] = {}
    if isinstance(made, click.Group):
        parts = {name: inner.get_short_help_str(80) for name, inner in made.commands.items()}
    return {"options": options, "choices": choices, "files": files, "parts": parts}


def _plain_words() -> dict[str, dict[str, dict[str, str]]]:
    """Return the words of the commands that work without the extra."""
    help_options: dict[str, str] = dict.fromkeys(("-h", "--help"), "Show how it is used.")
    output_options = {
        "--json": "Print JSON.",
        **dict.fromkeys(("-q", "--quiet"), "Print names of files only."),
    }

    def of(
        options: dict[str, str], files: dict[str, str], parts: dict[str, str]
    ) -> dict[str, dict[str, str]]:
        return {"options": options, "choices": {}, "files": files, "parts": parts}

    summaries = {name: summary for name, (_, summary) in PARTS.items()}
    table = {"migrations": of(help_options, {}, summaries), "rollback": of(help_options, {}, {})}
    for name in PARTS:
        files = {} if name == "list" else {"": ""}
        table[f"migrations {name}"] = of(output_options | help_options, files, {})
    return table


# --- schema


def schema() -> str:
    """Return the JSON Schema of what each command prints with `--json`."""
    wanted: list[tuple[str, Any, Any]] = []
    for name, made in commands():
        result = getattr(made, "result", None)
        if isinstance(made, Command) and result is not None:
            wanted.append((name, "serialization", TypeAdapter(result)))
    for name, rows in MIGRATIONS.items():
        wanted.append((name, "serialization", TypeAdapter(rows)))
    by_name, definitions = TypeAdapter.json_schemas(wanted)
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What the commands of training-versions print with --json",
        "$defs": definitions.get("$defs", {}),
        "properties": {name: by_name[name, "serialization"] for name, _, _ in wanted},
    }
    return f"{json.dumps(whole, indent=1, sort_keys=True)}\n"


# --- reference


def reference() -> str:
    """Return the reference: every command as its help says it, and the exit statuses."""
    lines = ["### Exit statuses", "", "| status | meaning |", "| --- | --- |"]
    lines += [f"| {status} | {meaning} |" for status, meaning in exits.MEANINGS.items()]
    helps: dict[str, click.Command | str] = dict(commands())
    helps |= plain_helps()
    for topic, names in TOPICS.items():
        lines += ["", f"### {topic}"]
        for name in names:
            for full, made in helps.items():
                if full == name or full.startswith(f"{name} "):
                    text = made if isinstance(made, str) else _help(full, made)
                    lines += ["", f"#### {full}", "", "```text", text, "```"]
    return "\n".join(lines) + "\n"


def plain_helps() -> dict[str, str]:
    """Return the help of the commands that work without the extra."""
    names = ["migrations", *(f"migrations {part}" for part in PARTS), "rollback"]
    helps: dict[str, str] = {}
    for name in names:
        with redirect_stdout(StringIO()) as printed, suppress(SystemExit):
            parser().parse_args([*name.split(), "--help"])
        helps[name] = printed.getvalue().rstrip()
    return helps


def _help(name: str, made: click.Command) -> str:
    context = click.Context(
        made,
        info_name=f"training-versions {name}",
        terminal_width=80,
        max_content_width=80,
        help_option_names=["-h", "--help"],
        obj=Session(),
    )
    return click.Command.get_help(made, context).rstrip()


def page() -> str:
    """Return the page with a fresh reference in it."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{reference()}\n{END}{after}"


def main() -> int:
    """Write the files, or with `--check` compare them."""
    check = "--check" in sys.argv[1:]
    stale = [
        path
        for path, made in ((WORDS, words), (SCHEMA, schema), (PAGE, page))
        if _is_stale(path, made(), check=check)
    ]
    for path in stale if check else []:
        print(f"{path.relative_to(ROOT)} is stale: run `make reference`", file=sys.stderr)
    return 1 if check and stale else 0


def _is_stale(path: Path, text: str, *, check: bool) -> bool:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    if not check:
        path.write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main())
