"""The two folders of a stack: a temporary one for this run, and `data_dir` for its data.

`data_dir` holds the lock, the secrets, and in `pgdata` what PostgreSQL itself writes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TextIO

from .errors import LocalStackError
from .files import open_private
from .processes import wait_for
from .unprivileged import is_reachable, nobody

_LOCK_TIMEOUT = 5.0  # the stack that used the folder before may still be stopping
_REMOVE_TIMEOUT = 5.0
_PAUSE = 0.05
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


def make_data_dir(data_dir: Path) -> None:
    """Make the folder of the data, or see that nobody has prepared what is in it.

    Raises:
        LocalStackError: Something in it leads elsewhere, or is another user's.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(data_dir):
        if not entry.is_file(follow_symlinks=False) and not entry.is_dir(follow_symlinks=False):
            raise LocalStackError(
                f"{entry.path} is a link or a device, which LocalSupabase does not follow;"
                " choose another data_dir"
            )
        # PostgreSQL does not run as root, so root finds the files of others here.
        if os.geteuid() not in (0, entry.stat(follow_symlinks=False).st_uid):
            raise LocalStackError(f"{entry.path} is another user's; choose another data_dir")


def lock(data_dir: Path) -> TextIO:
    """Lock the folder of the data; the lock is held while the returned file is open.

    Raises:
        LocalStackError: Another stack uses it.
    """
    file = open_private(data_dir / "lock")
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


def remove_folder(folder: Path) -> None:
    """Remove a folder, also while a program that was just ended still writes there."""
    until = time.monotonic() + _REMOVE_TIMEOUT
    while folder.exists() and time.monotonic() < until:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(_PAUSE)
