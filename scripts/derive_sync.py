"""Derive the sync twins of the async modules; with `--check`, only tell whether they are fresh.

What is replaced is written out here, word by word: a word that is not in the table is the same in both files.
"""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "training_versions"
TWINS = {  # source: target, and what the target is
    "_async_shell.py": ("_shell.py", "How the repositories send what `_calls.py` decided, sync."),
    "async_life.py": ("life.py", "What `VersionRepository` does with a version after drafting it."),
    "async_repository.py": ("repository.py", "The repositories, sync."),
}
HEADER = '''"""{title}

Derived from `{source}` by `scripts/derive_sync.py`: change that file instead.
"""
'''
WORDS = [
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"for item in (\S+):\n +yield item\b", r"yield from \1"),  # which async generators do not have
    (r"\bfrom asyncio import sleep\b", "from time import sleep"),
    (r"\b_async_shell\b", "_shell"),
    (r"\basync_life\b", "life"),
    (r"\bAsync(?=[A-Z])(?!PostgrestClient)", ""),
    (r"\bAsyncPostgrestClient\b", "SyncPostgrestClient"),
]


def derive(name: str) -> str:
    """Turn the text of an async module into that of the sync one, formatted."""
    target, title = TWINS[name]
    _, _, body = (PACKAGE / name).read_text(encoding="utf-8").split('"""', 2)
    for pattern, replacement in WORDS:
        body = re.sub(pattern, replacement, body)
    text = HEADER.format(title=title, source=name) + body
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format"]):
        text = subprocess.run(
            [ruff, *command, "--stdin-filename", str(PACKAGE / target), "-"],
            input=text,
            capture_output=True,
            check=True,
            encoding="utf-8",
            cwd=PACKAGE.parent.parent,
        ).stdout
    return text


def main(arguments: list[str]) -> int:
    """Write the twins, or tell which are stale."""
    if arguments not in ([], ["--check"]):
        print("usage: derive_sync.py [--check]", file=sys.stderr)
        return 2
    status = 0
    for source, (name, _) in TWINS.items():
        fresh, target = derive(source), PACKAGE / name
        stored = target.read_text(encoding="utf-8") if target.exists() else ""
        if not arguments:
            target.write_text(fresh, encoding="utf-8")
        elif fresh != stored:
            print(
                f"{name} is stale: run `python scripts/derive_sync.py` and keep its result.",
                file=sys.stderr,
            )
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
