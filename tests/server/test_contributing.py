"""CONTRIBUTING.md's two examples, followed to the letter in a copy of the checkout.

After that the copy's own suite has to pass: everything without a server, the tests of the two
examples, and those tests on the real stack that leave nothing out and so might ask for more files.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COPIED = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "pyproject.toml")
COPIED_FOLDERS = ("docs", "examples", "scripts", "src", "supabase", "tests")
DERIVED = {
    "supabase/schema.sql",
    "src/training_versions/_sync/drafts.py",
    "src/training_versions/cli/output-schema.json",
}
COLUMN, OPERATION = "Add an editable column", "Add an operation"
COMPLETENESS = (
    "schema/test_schema_file.py",
    "schema/test_access.py",
    "schema/test_freezing.py::test_every_column_is_either_frozen_or_open",
    "schema/test_push.py::TestAProjectOfTheFirstRelease::test_may_run_the_newer_files_twice",
    "schema/test_push.py::test_the_grants_refuse_a_project_that_is_not_protected",
    "schema/test_rollback.py::TestInANewProject::test_it_takes_everything_else_back",
    "schema/test_supabase_js.py::test_every_version_has_the_columns_that_the_sdk_reads",
    "sdk/test_every_operation.py",
    "test_docs.py::TestMigrationsPage",
)
# Of the two files that try every operation: what is complete, and what concerns the new one.
SELECTED = """
    not (test_access or test_every_operation)
    or rename or leave_no_function_out or called_on_both_faces
"""


@dataclass(frozen=True)
class Block:
    """A block of code in the document, which says what to do to one file."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """The file: a diff names it in its header, a new file in its first line."""
        if self.language == "diff":
            return self.text.partition("+++ b/")[2].partition("\n")[0]
        return self.text.partition("\n")[0].lstrip("-# ")


def blocks_of(section: str) -> list[Block]:
    """Return the blocks of one section, which ends where the next one begins."""
    _, _, rest = TEXT.partition(f"\n## {section}\n")
    body = rest.partition("\n## ")[0]
    found = re.findall(r"^```(\w+)\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
    return [Block(language, text) for language, text in found]


def apply(block: Block, checkout: Path) -> None:
    """Do to the checkout what a block says."""
    path = checkout / block.file
    if block.language == "diff":
        path.write_text(edit(path.read_text(encoding="utf-8"), block), encoding="utf-8")
    else:
        assert not path.exists()
        path.write_text(block.text, encoding="utf-8")


def edit(text: str, diff: Block) -> str:
    """Apply a diff whose hunks are found by their lines, wherever those have moved to."""
    _, *hunks = re.split(r"^@@.*@@\n", diff.text, flags=re.MULTILINE)
    for hunk in hunks:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if not line.startswith("+"))
        after = "".join(line[1:] for line in lines if not line.startswith("-"))
        assert text.count(before) == 1, f"{diff.file} has not exactly one place for:\n{hunk}"
        text = text.replace(before, after)
    return text


def run(checkout: Path, *command: str) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # The copy comes first on the path, before the checkout that is installed.
    env["PYTHONPATH"] = str(checkout / "src")
    done = subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:]


def contents(checkout: Path) -> dict[str, bytes]:
    """Return the files of a checkout, as far as they are copied."""
    files = [checkout / name for name in COPIED]
    for folder in COPIED_FOLDERS:
        files += [path for path in (checkout / folder).rglob("*") if path.is_file()]
    return {
        path.relative_to(checkout).as_posix(): path.read_bytes()
        for path in files
        if "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which both examples have been followed."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        shutil.copy(ROOT / name, checkout)
    for folder in COPIED_FOLDERS:
        shutil.copytree(ROOT / folder, checkout / folder)
    (checkout / "node_modules").symlink_to(ROOT / "node_modules")
    for section in (COLUMN, OPERATION):
        for block in blocks_of(section):
            apply(block, checkout)
    run(checkout, "scripts/derive_sync.py")
    run(checkout, "scripts/dump_schema.py")
    run(checkout, "scripts/cli_reference.py")
    return checkout


def test_a_column_is_one_place_in_sql_and_one_in_python_and_its_test() -> None:
    assert [block.file for block in blocks_of(COLUMN)] == [
        "supabase/migrations/20270101000001_license_of_the_weights.sql",
        "src/training_versions/models/versions.py",
        "tests/server/sdk/test_license.py",
        "CHANGELOG.md",
    ]


def test_an_operation_is_six_files() -> None:
    assert [block.file for block in blocks_of(OPERATION)] == [
        "supabase/migrations/20270101000002_rename_drafts.sql",
        "src/training_versions/operations/drafts.py",
        "src/training_versions/_async/drafts.py",
        "tests/data.py",
        "tests/server/sdk/test_rename.py",
        "CHANGELOG.md",
    ]


def test_nothing_else_is_touched_but_what_is_derived(followed: Path) -> None:
    before, after = contents(ROOT), contents(followed)

    touched = {name for name, content in after.items() if before.get(name) != content}

    edited = {block.file for section in (COLUMN, OPERATION) for block in blocks_of(section)}
    assert touched == edited | DERIVED


def test_the_code_of_the_examples_is_formatted_and_lints(followed: Path) -> None:
    run(followed, "-m", "ruff", "format", "--check", *COPIED_FOLDERS)
    run(followed, "-m", "ruff", "check", *COPIED_FOLDERS)


def test_their_own_tests_and_all_that_leave_nothing_out_pass(followed: Path) -> None:
    own = [
        block.file
        for section in (COLUMN, OPERATION)
        for block in blocks_of(section)
        if block.language == "python"
    ]
    complete = [f"tests/server/{name}" for name in COMPLETENESS]

    run(
        followed,
        *("-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider"),
        *("-k", " ".join(SELECTED.split())),
        *("tests/unit", "tests/http", *own, *complete),
    )
