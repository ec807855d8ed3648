"""A progress bar with the standard library only, as `migrations` works without the extra."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import Final, TextIO

from training_versions.cli.index import terminal_columns

Report = Callable[[int, int], None]
"""A function to call with the number of completed items and the total."""

_PAUSE: Final = 0.1
"""Seconds between two frames."""
_LONGEST: Final = 40
_SHORTEST: Final = 5


@contextmanager
def progress_bar(stream: TextIO, what: str) -> Generator[Report | None, None, None]:
    """Draw a progress bar during a long operation, and remove it at the end.

    Args:
        stream: The stream to draw on. If it is not a terminal, nothing is drawn, and the context
            manager yields `None`.
        what: The name of the operation, shown alone until there is a count.
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
    """One line that is overwritten repeatedly."""

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
        """Overwrite the line that is shown."""
        # Spaces overwrite a longer line, as not every terminal can clear a line.
        self._stream.write(f"\r{line:{len(self._shown)}}")
        if not line:
            self._stream.write("\r")
        self._stream.flush()
        self._shown = line
