"""Derive the sync face from the async one; with `--check`, only say whether it is fresh.

Derived are every file of `_async/`, into `_sync/`, and `async_repository.py`, into `repository.py`.
What is replaced is written out in `WORDS`: what is not in that table is the same in both faces. A
word that no file uses, and an async name that is left behind, are errors.
"""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "training_versions"
WORDS = [
    # Async generators have no `yield from`.
    (r"for item in (\S+):\n +yield item\b", r"yield from \1"),
    (r"\basync (def|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bfrom asyncio import sleep\b", "from time import sleep"),
    (r"\ba cancelled task, too\b", "ctrl-C, too"),
    (r"\b_async\b", "_sync"),
    (r"\bAsyncPostgrestClient\b", "SyncPostgrestClient"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\bThe async face:", "The sync face:"),
    (r" The sync face in `_sync/` is derived from this folder\.", ""),
    (r"\boperations, async\b", "operations, sync"),
    (r"\bof the async face\b", "of the sync face"),
    (r"\bThe async repositories\b", "The repositories"),
]
# The notice may name the source.
MAY_REMAIN = re.compile(r"Derived from `[^`]+`")
LEFT_BEHIND = re.compile(r"async|await|\baiter|\banext|asyncio", re.IGNORECASE)


class DerivationError(Exception):
    """The table of words does not fit the async face."""


def sources() -> dict[Path, Path]:
    """Return the async files, and the sync file that each becomes."""
    found = {
        source: PACKAGE / "_sync" / source.name
        for source in sorted((PACKAGE / "_async").glob("*.py"))
    }
    found[PACKAGE / "async_repository.py"] = PACKAGE / "repository.py"
    return found


def derive(source: Path, used: set[str]) -> str:
    """Turn an async file into its sync text, and note the words that it used."""
    text = source.read_text(encoding="utf-8")
    for pattern, replacement in WORDS:
        text, count = re.subn(pattern, replacement, text)
        if count:
            used.add(pattern)

    name = source.relative_to(PACKAGE)
    notice = f"Derived from `{name}` by `scripts/derive_sync.py`: change that file instead."
    docstring, end, body = text.partition('"""\n')
    if "\n" in docstring:
        text = f"{docstring}\n{notice}\n{end}{body}"
    else:
        text = f"{docstring}\n\n{notice}\n{end}{body}"

    for number, line in enumerate(text.splitlines(), 1):
        if LEFT_BEHIND.search(MAY_REMAIN.sub("", line)):
            raise DerivationError(f"{name}: an async name is left in line {number}: {line.strip()}")
    return text


def tidy(text: str, target: Path) -> str:
    """Sort the imports and format, as the linter asks."""
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format"]):
        done = subprocess.run(
            [ruff, *command, "--stdin-filename", str(target), "-"],
            input=text,
            capture_output=True,
            check=True,
            encoding="utf-8",
            cwd=ROOT,
        )
        text = done.stdout
    return text


def derive_all() -> dict[Path, str]:
    """Return the fresh text of every sync file."""
    used: set[str] = set()
    fresh = {target: tidy(derive(source, used), target) for source, target in sources().items()}
    unused = [pattern for pattern, _ in WORDS if pattern not in used]
    if unused:
        raise DerivationError(f"words that no file uses: {', '.join(unused)}")
    return fresh


def check(fresh: dict[Path, str]) -> int:
    """Report which sync files are stale, or have no async twin; 1 if there are any."""
    status = 0
    for target, text in fresh.items():
        stored = target.read_text(encoding="utf-8") if target.exists() else ""
        if stored != text:
            status = 1
            name = target.relative_to(PACKAGE)
            print(f"{name} is stale: run `make twin` and keep its result.", file=sys.stderr)
    for path in sorted((PACKAGE / "_sync").glob("*.py")):
        if path not in fresh:
            status = 1
            print(f"_sync/{path.name} has no twin in _async/: delete it.", file=sys.stderr)
    return status


def write(fresh: dict[Path, str]) -> int:
    """Write the sync files."""
    (PACKAGE / "_sync").mkdir(exist_ok=True)
    for target, text in fresh.items():
        target.write_text(text, encoding="utf-8")
    return 0


def main(arguments: list[str]) -> int:
    """Write the sync face, or check it."""
    if arguments not in ([], ["--check"]):
        print("usage: derive_sync.py [--check]", file=sys.stderr)
        return 2
    try:
        fresh = derive_all()
    except DerivationError as error:
        print(error, file=sys.stderr)
        return 1
    return check(fresh) if arguments else write(fresh)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
