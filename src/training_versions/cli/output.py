"""The output of commands: data on stdout, everything else on stderr.

A terminal gets tables and colours. A pipe gets lines of tab-separated values, unshortened and
without colours. All texts from a project are made safe for a terminal first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias, TypeVar

from training_versions.cli.shell_words import in_shell_words
from training_versions.cli.text import json_text, printable
from training_versions.wording import write_amount

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

T = TypeVar("T")
Cell: TypeAlias = "str | int | bool | datetime | Decimal | None"
Mode: TypeAlias = Literal["text", "json", "quiet"]

_STYLES = {"draft": "yellow", "published": "green", "archived": "dim", "live": "bold green"}


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    is_number: bool = False
    is_styled: bool = False
    """Whether its values are coloured, as statuses are."""
    may_wrap: bool = False
    """Whether its text may be wrapped on a narrow terminal."""
    may_cut: bool = False
    """Whether its text may be cut with an ellipsis, so that each row is one line."""
    only_piped: bool = False
    """Whether it is left out on a terminal, such as the id beside the name."""


@dataclass
class Output:
    """The output streams of a command, and the form of its output."""

    mode: Mode = "text"
    debug: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    secrets: set[str] = field(default_factory=set[str])
    """Texts that are hidden in all messages."""

    @property
    def is_terminal(self) -> bool:
        """Whether stdout is a terminal."""
        return self.out.isatty()

    @property
    def can_ask(self) -> bool:
        """Whether a user can be asked a question."""
        return sys.stdin.isatty() and self.err.isatty()

    @cached_property
    def console(self) -> Console:
        """The rich console for stdout."""
        return _console(self.out)

    @cached_property
    def err_console(self) -> Console:
        """The rich console for stderr."""
        return _console(self.err)

    # --- data

    def show(
        self,
        data: object,
        *,
        ids: Iterable[object] = (),
        text: Callable[[], None],
    ) -> None:
        """Print the result of a command as JSON, ids or text.

        Args:
            data: The result for `--json`: a record, or a list of records.
            ids: The ids for `-q`, one per line.
            text: The function that prints the result as text.
        """
        if self.mode == "json":
            self.line(json_text(_as_json(data)), is_safe=True)
        elif self.mode == "quiet":
            for each in ids:
                self.line(str(each))
        else:
            text()

    def line(self, text: str = "", *, is_safe: bool = False) -> None:
        """Print a line, without colours."""
        self.out.write(f"{text if is_safe else printable(text)}\n")

    def styled(self, text: str, style: str = "") -> None:
        """Print a line, on a terminal with a style."""
        if not self.is_terminal:
            self.line(text)
            return
        self.console.print(styled_text(text, style), soft_wrap=True)

    def paragraph(self, text: str, indent: int = 2) -> None:
        """Print a paragraph, on a terminal wrapped between words."""
        if not self.is_terminal:
            self.line(text)
            return
        from rich.padding import Padding

        self.console.print(Padding(styled_text(text), (0, 0, 0, indent)))

    def table(
        self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, empty: str = ""
    ) -> None:
        """Print rows: as a table on a terminal, tab-separated in a pipe.

        Args:
            columns: The columns.
            rows: The values. A terminal shows a moment as its age, such as "3 days ago".
            empty: The message on a terminal if there are no rows.
        """
        if not self.is_terminal:
            for row in rows:
                self.row(row)
            return
        from training_versions.cli.tables import draw

        shown = [number for number, column in enumerate(columns) if not column.only_piped]
        drawn = [[row[number] for number in shown] for row in rows]
        if not drawn and empty:
            self.note(empty)
            return
        draw(self.console, [columns[number] for number in shown], drawn)

    def row(self, cells: Sequence[Cell]) -> None:
        """Print one row of tab-separated values, unshortened."""
        self.line("\t".join(_piped(cell) for cell in cells), is_safe=True)

    def heading(self, kind: str, written: str) -> None:
        """Print the subject of the fields that follow."""
        if self.is_terminal:
            self.styled(written, "bold")
        else:
            self.row((kind, written))

    def fields(self, pairs: Iterable[tuple[str, Cell]]) -> None:
        """Print fields, one per line: the name and the value."""
        if not self.is_terminal:
            for name, value in pairs:
                self.line(f"{name}\t{_piped(value)}", is_safe=True)
            return
        from training_versions.cli.tables import draw_fields

        draw_fields(self.console, [(name, value) for name, value in pairs if value is not None])

    def limited(self, rows: Iterable[T], limit: int | None) -> list[T]:
        """Read rows up to a limit, and print a note if there are more."""
        if limit is None:
            return list(rows)
        read: list[T] = []
        for row in rows:
            if len(read) == limit:
                self.note(f"The first {limit} only; there are more: a higher --limit shows them.")
                break
            read.append(row)
        return read

    # --- the rest

    def say(self, text: str = "", *, style: str = "") -> None:
        """Print a message on stderr, except with `-q` or `--json`."""
        if self.mode == "text":
            self.note(text, style=style)

    def note(self, text: str, *, style: str = "") -> None:
        """Print an important message on stderr, in every mode."""
        text = self.hide(text)
        if self.err.isatty():
            self.err_console.print(styled_text(text, style), soft_wrap=True)
        else:
            self.err.write(f"{printable(text)}\n")

    def error(self, message: str, hint: str | None = None) -> None:
        """Print an error message, and a hint."""
        self.flush()
        self._marked("error: ", in_shell_words(message), "bold red")
        if hint:
            self._marked("hint: ", in_shell_words(hint), "cyan")

    def _marked(self, mark: str, text: str, style: str) -> None:
        lines = self.hide(text).splitlines() or [""]
        safe = "\n".join(printable(line) for line in lines)
        if self.err.isatty():
            from rich.text import Text

            self.err_console.print(Text(mark, style) + Text(safe, "default"), soft_wrap=True)
        else:
            self.err.write(f"{mark}{safe}\n")
        self.err.flush()

    def hide(self, text: str) -> str:
        """Return a text with all secrets replaced."""
        for secret in self.secrets:
            text = text.replace(secret, "[hidden]")
        return text

    def flush(self) -> None:
        """Flush both streams."""
        self.out.flush()
        self.err.flush()


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    plain = not stream.isatty() or bool(os.environ.get("NO_COLOR"))
    return Console(
        file=stream,
        force_terminal=stream.isatty(),
        # NO_COLOR disables bold, too: such output is probably read by a program.
        color_system=None if plain else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def styled_text(text: str, style: str = "") -> Text:
    """Return text with a style that is safe for a terminal. It may have several lines."""
    from rich.text import Text

    return Text("\n".join(map(printable, text.split("\n"))), style)


def style_of(value: Cell) -> str:
    """Return the style of a status."""
    return _STYLES.get(str(value), "")


def _piped(value: Cell) -> str:
    """Return a value as one unshortened line for a pipe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return iso(value)
    return printable(str(value))


def iso(moment: datetime) -> str:
    """Return a moment in UTC with full precision."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def money(amount: Decimal | None) -> str | None:
    """Return an amount with thousands separators."""
    if amount is None:
        return None
    return write_amount(amount)


def _as_json(data: object) -> object:
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(data)
