"""Files that nobody else may read or prepare.

Other users of the machine may be allowed to write into the folder around such a file, so a link
that lies there is never followed, and a file that lies there is never written into.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

_NOBODY_ELSE = 0o600


def open_private(file: Path) -> TextIO:
    """Open a file for writing that is made when it is new; a link is refused with an OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
    return os.fdopen(os.open(file, flags, _NOBODY_ELSE), "w", encoding="utf-8")


def write_private(file: Path, text: str) -> None:
    """Write a new file, in the place of one that is there."""
    file.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(file, flags, _NOBODY_ELSE), "w", encoding="utf-8") as output:
        output.write(text)


def replace_private(file: Path, text: str) -> None:
    """Write a file anew; whoever reads it meanwhile, or is killed, meets no half of it."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    write_private(unfinished, text)
    unfinished.replace(file)
