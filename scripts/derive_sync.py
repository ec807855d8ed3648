"""Derive `repository.py` from `async_repository.py`; with `--check`, only tell whether it is fresh.

What is replaced is written out here, word by word: a word that is not in the table is the same in both files.
"""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "training_versions"
SOURCE = PACKAGE / "async_repository.py"
TARGET = PACKAGE / "repository.py"
HEADER = '''"""The repositories, sync.

Derived from `async_repository.py` by `scripts/derive_sync.py`: change that file instead.
"""
'''
WORDS = [
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"for item in (\S+):\n +yield item\b", r"yield from \1"),  # which async generators do not have
    (r"\bfrom asyncio import sleep\b", "from time import sleep"),
    (r"\bAsync(?=[A-Z])(?!PostgrestClient)", ""),
    (r"\bAsyncPostgrestClient\b", "SyncPostgrestClient"),
]


def derive(source: str) -> str:
    """Turn the text of the async module into that of the sync one, formatted."""
    _, _, body = source.split('"""', 2)
    for pattern, replacement in WORDS:
        body = re.sub(pattern, replacement, body)
    text = HEADER + body
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format"]):
        text = subprocess.run(
            [ruff, *command, "--stdin-filename", str(TARGET), "-"],
            input=text,
            capture_output=True,
            check=True,
            encoding="utf-8",
            cwd=PACKAGE.parent.parent,
        ).stdout
    return text


def main(arguments: list[str]) -> int:
    """Write the twin, or tell that it is stale."""
    fresh = derive(SOURCE.read_text(encoding="utf-8"))
    stored = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if arguments == ["--check"]:
        if fresh != stored:
            print("repository.py is stale: run `python scripts/derive_sync.py` and keep its result.", file=sys.stderr)
            return 1
        return 0
    if arguments:
        print("usage: derive_sync.py [--check]", file=sys.stderr)
        return 2
    TARGET.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
