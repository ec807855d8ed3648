"""The page about the endpoints is true: its commands run, and its table is the description's.

A shell runs all of its `sh` blocks in one go, so later ones know what earlier ones made. Each has
to print what the `text` block below it says.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.server.rest.conftest import PREFIX, Api, Person, Running
from tests.server.rest.servers import serve
from training_versions.local import LocalSupabase

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "rest.md"
DEMO = ROOT / "src" / "training_versions" / "cli" / "demo" / "story.py"
BLOCK = re.compile(r"^```sh\n(.*?)^```\n\s*^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"<!-- endpoints -->\n(.*)<!-- end of endpoints -->", re.DOTALL)


def write_table(description: dict[str, Any]) -> str:
    """Write the table; `python -m tests.server.rest.test_docs` puts it into the page."""
    lines = ["| endpoint | what it does |", "| --- | --- |"]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            words = operation["description"].partition("\n\n")[0].replace("\n", " ")
            lines.append(f"| `{method.upper()} {path.removeprefix(PREFIX)}` | {words} |")
    return "\n" + "\n".join(lines) + "\n\n"


def test_its_commands_print_what_it_says(
    stack: LocalSupabase, person: Callable[[], Person], tmp_path: Path
) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    script = "\n".join(f"{code}\necho ----" for code, _ in blocks)

    with serve(stack) as server:
        environment = {"API": server.url + PREFIX, "TOKEN": person().token}
        done = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert done.returncode == 0, done.stderr
    printed = done.stdout.split("----\n")[:-1]
    assert [text.strip() for text in printed] == [text.strip() for _, text in blocks]
    assert len(blocks) >= 3


def test_its_package_is_none_of_the_demo() -> None:
    # Whoever tries the commands on the demo would have two packages of one name afterwards, and
    # the commands of the README would ask which one is meant.
    created = re.findall(r'"name": "([^"]+)", "template_type"', PAGE.read_text(encoding="utf-8"))
    story = DEMO.read_text(encoding="utf-8")

    assert created
    assert not [name for name in created if f'create_package("{name}"' in story]


def test_its_python_makes_an_application() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}

    exec(compile(code, str(PAGE), "exec"), names)

    assert f"{PREFIX}/versions" in names["app"].openapi()["paths"]


def test_its_table_is_that_of_the_description(running: Running) -> None:
    (table,) = TABLE.findall(PAGE.read_text(encoding="utf-8"))

    assert table == write_table(Api(running, None).get("/openapi.json").json())


def main() -> None:
    """Put the table into the page."""
    from training_versions.rest import create_app

    app = create_app(url="http://project.test", key="key")
    text = PAGE.read_text(encoding="utf-8")
    table = f"<!-- endpoints -->\n{write_table(app.openapi())}<!-- end of endpoints -->"
    PAGE.write_text(TABLE.sub(lambda _: table, text), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
