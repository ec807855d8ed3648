"""The page about the command line is true: what it shows happens."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.server.cli.conftest import PROGRAM, TIMEOUT

PAGE = Path(__file__).parents[3] / "docs" / "command-line.md"


def test_the_first_commands_of_the_page_print_what_it_says(ada, monkeypatch) -> None:
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}:/usr/bin:/bin")
    (story,) = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    steps = re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", story, re.MULTILINE)

    said = [
        subprocess.run(
            ["sh", "-c", command], capture_output=True, text=True, timeout=TIMEOUT
        ).stdout
        for command, _ in steps
    ]

    assert said == [output for _, output in steps]
    assert len(steps) > 5
