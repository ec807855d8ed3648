"""The folder of a local stack goes, also while a program that is ending still writes in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from training_versions.local._supervisor.folders import remove_folder

# Makes files, each in a folder of its own, for as long as there is the folder, or half a second.
WRITER = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
print("ready", flush=True)
until = time.monotonic() + 0.5
number = 0
while time.monotonic() < until and folder.exists():
    number += 1
    try:
        (folder / str(number % 50)).mkdir(exist_ok=True)
        (folder / str(number % 50) / "file").write_text("x")
    except OSError:
        pass
"""


def test_a_folder_that_is_written_to_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        remove_folder(folder)
        writer.wait(10)

    assert not folder.exists()
