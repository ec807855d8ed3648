"""Files: opening what callers name, and writing it whole or not at all.

Callers name a path, or pass a file that they opened themselves and close themselves. A path gets
the new file in one step, by renaming: whoever reads it meanwhile reads the old file, and an export
that fails or is cancelled leaves it as it was. What is in the file is not looked at here.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from training_versions.bundle.results import BundleFile
from training_versions.errors import InvalidInputError
from training_versions.snapshots import refuses_foreign_errors


@contextmanager
def open_for_writing(file: BundleFile) -> Generator[BinaryIO, None, None]:
    """Open a file to write; one named by a path is replaced by the whole, or not at all."""
    if not isinstance(file, str | os.PathLike):
        _check_binary(file, "file", "write")
        if not _is_able(file, "writable"):
            raise InvalidInputError("file is not open for writing.", field="file")
        yield file
        return
    # A symbolic link stays one: what it points to is replaced.
    target = Path(os.path.realpath(_check_path(file, "file")))
    if target.exists() and not target.is_file():
        # A device or a pipe takes bytes as they come; a folder refuses.
        with target.open("wb") as out:
            yield out
        return
    with _replacing(target) as out:
        yield out


@contextmanager
def _replacing(target: Path) -> Generator[BinaryIO, None, None]:
    """Open a file beside the target, which replaces it once it is whole."""
    if not target.parent.is_dir():
        # Opening the part would fail too, but name a file that nobody knows.
        reason = os.strerror(errno.ENOENT)
        raise FileNotFoundError(errno.ENOENT, reason, str(target.parent))
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as out:
            if target.exists():
                # Before the first byte, so that whoever may not read the target cannot read the
                # part.
                shutil.copymode(target, part)
            yield out
            # On the disk before it is renamed: a crash leaves no half file.
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def open_for_reading(file: BundleFile) -> Generator[BinaryIO, None, None]:
    """Open a file that is read twice, so that it must be able to go back."""
    if isinstance(file, str | os.PathLike):
        path = _check_path(file, "file")
        # Asked before it is opened, since opening a pipe waits until somebody writes to it.
        if path.is_fifo():
            raise _cannot_go_back()
        with path.open("rb") as source:
            if not source.seekable():
                raise _cannot_go_back()
            yield source
        return
    _check_binary(file, "file", "seekable")
    if not _is_able(file, "readable"):
        raise InvalidInputError("file is not open for reading.", field="file")
    if not file.seekable():
        raise _cannot_go_back()
    yield file


def _cannot_go_back() -> InvalidInputError:
    return InvalidInputError(
        "file is read twice and cannot go back; pass a path or a saved file.", field="file"
    )


def write_all(out: BinaryIO, data: bytes) -> None:
    """Write all of the data; an unbuffered file may take a part at a time.

    Raises:
        BlockingIOError: The file took nothing.
    """
    while data:
        written = cast("int | None", out.write(data))
        if written is None and not isinstance(out, io.RawIOBase):
            # A file that is not an `io` object may return nothing: it took all.
            return
        if not written:
            # To a raw file that does not block, `None` means that nothing was written.
            raise BlockingIOError(errno.EAGAIN, "the file takes no more bytes now", 0)
        data = data[written:]


@refuses_foreign_errors
def _check_path(file: object, argument: str) -> Path:
    """Return a path, unless no file can be named so."""
    name = os.fsencode(cast("str", file))
    if not name or b"\0" in name:
        raise InvalidInputError(f"{argument} must be the path of a file.", field=argument)
    return Path(os.fsdecode(name))


@refuses_foreign_errors
def _check_binary(file: object, argument: str, method: str) -> None:
    """Refuse what is not a file, and files of text."""
    if isinstance(file, io.TextIOBase) or not hasattr(file, method):
        raise InvalidInputError(
            f"{argument} must be a path or a binary file, not {file!r:.80}.",
            field=argument,
        )


def _is_able(file: object, method: str) -> bool:
    # A file that is not an `io` object may lack the method; then it fails later.
    ask: Callable[[], bool] | None = getattr(file, method, None)
    return ask is None or ask()
