"""CONTRIBUTING.md's two examples, followed to the letter in a copy of the checkout."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PROGRAM = """
from pathlib import Path

from training_versions import PackageRepository, VersionRepository
from training_versions.local import LocalSupabase

with LocalSupabase(migrations=Path("supabase/migrations")) as stack:
    client = stack.sign_in("ada@example.com")
    packages, versions = PackageRepository(client), VersionRepository(client)
    package = packages.create("support-bot", template_type="lora_finetuning", config={})
"""


@dataclass(frozen=True)
class Block:
    """A block of code in the document: its language, and its text."""

    language: str
    text: str


def blocks_of(section: str) -> list[Block]:
    """Return the blocks of one section, which ends where the next one begins."""
    _, _, rest = TEXT.partition(f"\n## {section}\n")
    body = rest.partition("\n## ")[0]
    found = re.findall(r"^```(\w+)\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
    return [Block(language, text) for language, text in found]


def apply(block: Block, checkout: Path) -> None:
    """Do to the checkout what a block says."""
    if block.language == "sql":
        name = block.text.splitlines()[0].removeprefix("-- ")
        (checkout / name).write_text(block.text, encoding="utf-8")
    if block.language == "diff":
        edit(block.text, checkout)


def edit(diff: str, checkout: Path) -> None:
    """Apply a diff whose hunks are found by their lines, wherever those have moved to."""
    header, *hunks = re.split(r"^@@.*@@\n", diff, flags=re.MULTILINE)
    path = checkout / header.split("+++ b/")[1].strip()
    text = path.read_text(encoding="utf-8")
    for hunk in hunks:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if not line.startswith("+"))
        after = "".join(line[1:] for line in lines if not line.startswith("-"))
        assert text.count(before) == 1, f"{path.name} has not exactly one place for:\n{hunk}"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("src", "supabase", "scripts"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(checkout: Path, *command: str) -> str:
    # The copy comes first on the path, before the checkout that is installed.
    env = os.environ | {"PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("section", ["Add an editable column", "Add an operation"])
def test_the_example_works_as_it_stands_there(checkout: Path, section: str) -> None:
    blocks = blocks_of(section)
    (test,) = [block for block in blocks if block.language == "python"]
    (output,) = [block for block in blocks if block.language == "text"]
    for block in blocks:
        apply(block, checkout)
    run(checkout, "scripts/derive_sync.py")
    indented = "".join(f"    {line}" for line in test.text.splitlines(keepends=True))
    (checkout / "try_it.py").write_text(PROGRAM + indented, encoding="utf-8")

    assert run(checkout, "try_it.py") == output.text


def test_an_example_touches_one_file_a_layer() -> None:
    column = [block.language for block in blocks_of("Add an editable column")]
    operation = [block.language for block in blocks_of("Add an operation")]

    assert column == ["sql", "diff", "python", "text"]
    assert operation == ["sql", "diff", "diff", "python", "text"]
