"""Tables on a terminal: columns if they fit, else a block of lines for each row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from training_versions.cli.output import Cell, Column, money, style_of, styled_text
from training_versions.wording import describe_age

_GAP = 2
_LEAST_OF_A_TEXT = 24
"""The smallest width of a text that is wrapped."""
_LEAST_OF_A_CUT = 12
"""The smallest width of a text that is cut."""


def draw(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Draw a table, or blocks if the terminal is too narrow for its columns."""
    cells = [
        [_text(column, value) for column, value in zip(columns, row, strict=True)] for row in rows
    ]
    # Columns that are empty in every row are left out.
    used = [number for number in range(len(columns)) if any(row[number].plain for row in cells)]
    columns = [columns[number] for number in used]
    cells = [[row[number] for number in used] for row in cells]
    if not columns:
        return
    spare = console.width - _least_width(columns, cells)
    if spare < 0:
        _draw_blocks(console, columns, cells)
        return

    # Not every encoding has the ellipsis.
    cut = "crop"
    if console.encoding.startswith("utf"):
        cut = "ellipsis"
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=not column.may_wrap,
            overflow=cut if column.may_cut else "fold",
            # Without a limit, rich shrinks the columns that must not be cut.
            max_width=_LEAST_OF_A_CUT + spare if column.may_cut else None,
        )
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _least_width(columns: Sequence[Column], cells: Sequence[Sequence[Text]]) -> int:
    """Return the smallest width of the table, with its texts wrapped."""
    total = 0
    for number, column in enumerate(columns):
        widest = max((cell_len(row[number].plain) for row in cells), default=0)
        if column.may_wrap:
            widest = min(widest, _LEAST_OF_A_TEXT)
        if column.may_cut:
            widest = min(widest, _LEAST_OF_A_CUT)
        total += max(widest, cell_len(column.title)) + _GAP
    return total - _GAP


def _draw_blocks(
    console: Console, columns: Sequence[Column], cells: Sequence[Sequence[Text]]
) -> None:
    for position, row in enumerate(cells):
        if position:
            console.print()
        heading = row[0].copy()
        heading.stylize("bold")
        console.print(heading, overflow="fold")
        _draw_pairs(
            console,
            [
                (column.title, cell)
                for column, cell in zip(columns[1:], row[1:], strict=True)
                if cell.plain
            ],
            indent=2,
        )


def draw_fields(console: Console, pairs: Sequence[tuple[str, Cell]]) -> None:
    """Draw fields in two columns: names and values."""
    _draw_pairs(
        console, [(name, _text(Column(name, is_styled=True), value)) for name, value in pairs]
    )


def _draw_pairs(console: Console, pairs: Sequence[tuple[str, Text]], indent: int = 0) -> None:
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(f"{' ' * indent}{name}", value)
    console.print(grid)


def _text(column: Column, value: Cell) -> Text:
    if value is None:
        return Text()
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, datetime):
        return Text(describe_age(value, datetime.now(UTC)))
    if isinstance(value, Decimal):
        return Text(money(value) or "")
    style = ""
    if column.is_styled:
        style = style_of(value)
    return styled_text(str(value).replace("\n", " "), style)
