"""A progress bar on stderr, of the standard library alone: `migrations` works without the extra."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import Final, TextIO

from training_versions.cli.index import terminal_columns

Report = Callable[[int, int], None]
"""Called with how many are done, and how many there are."""

_PAUSE: Final = 0.1
"""Seconds between two pictures."""
_LONGEST: Final = 40
_SHORTEST: Final = 5


@contextmanager
def progress_bar(stream: TextIO, what: str) -> Generator[Report | None, None, None]:
    """Draw a bar while something takes its time, and wipe it out in the end.

    Args:
        stream: Where. If it is no terminal, nothing is drawn, and there is nothing to call.
        what: What takes its time. It stands alone until there is something to count.
    """
    if not stream.isatty():
        yield None
        return
    bar = _Bar(stream, what)
    bar.draw(f"{what}...")
    try:
        yield bar.report
    finally:
        bar.draw("")


class _Bar:
    """One line, which is written over again and again."""

    def __init__(self, stream: TextIO, what: str) -> None:
        self._stream = stream
        self._what = what
        self._shown = ""
        self._next_picture = 0.0

    def report(self, done: int, total: int) -> None:
        now = monotonic()
        if now < self._next_picture and done < total:
            return
        self._next_picture = now + _PAUSE
        count = f"{done}/{total}"
        room = terminal_columns(self._stream.fileno()) - len(f"{self._what}  {count} ")
        length = min(room, _LONGEST)
        if length < _SHORTEST:
            self.draw(f"{self._what} {count}")
            return
        filled = length * done // max(total, 1)
        self.draw(f"{self._what} {'#' * filled:.<{length}} {count}")

    def draw(self, line: str) -> None:
        """Write a line over the one that is shown."""
        # Blanks over what is longer, as not every terminal knows how to clear a line.
        self._stream.write(f"\r{line:{len(self._shown)}}")
        if not line:
            self._stream.write("\r")
        self._stream.flush()
        self._shown = line
