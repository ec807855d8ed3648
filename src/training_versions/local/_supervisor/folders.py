"""The two folders of a stack: a temporary one for this run, and `data_dir` for its data.

`data_dir` holds the lock, the secrets, and in `pgdata` what PostgreSQL itself writes.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import TextIO

from .errors import LocalStackError
from .processes import wait_for
from .unprivileged import is_reachable, nobody

_LOCK_TIMEOUT = 5.0  # the stack that used the folder before may still be stopping
_PREFIX = "training-versions-"
# The path of a Unix socket has at most 104 characters on macOS; names in the folder need some.
_LONGEST_PATH = 80


def make_temporary_folder() -> Path:
    """Make a folder for logs, sockets and configuration, where every program can reach them."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    if not _is_suitable(folder):
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/tmp"))
    # Others may pass through to files that are theirs, but not list what there is.
    folder.chmod(0o711)
    return folder


def _is_suitable(folder: Path) -> bool:
    if len(str(folder)) > _LONGEST_PATH:
        return False
    return os.geteuid() != 0 or is_reachable(folder.parent, nobody())


def lock(data_dir: Path) -> TextIO:
    """Lock the folder of the data; the lock is held while the returned file is open.

    Raises:
        LocalStackError: Another stack uses it.
    """
    file = (data_dir / "lock").open("a")
    if not wait_for(lambda: _try_lock(file), _LOCK_TIMEOUT):
        raise LocalStackError(
            f"{data_dir} is in use by another LocalSupabase;"
            " stop that one or choose another data_dir"
        )
    return file


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(file: Path, text: str) -> None:
    """Write a file that nobody else may read, not even before it has its text."""
    file.touch(0o600)
    file.write_text(text)


def replace_private(file: Path, text: str) -> None:
    """Write a file anew; whoever reads it, or is killed meanwhile, leaves no half of it."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    write_private(unfinished, text)
    unfinished.replace(file)
