"""Draw curves with characters, for a terminal of any width.

A Braille character has two dots across and four down. If the terminal cannot show Braille, each
character is one dot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from training_versions import MetricPoint
from training_versions.cli.output import Output

Point = tuple[float, float]
"""A step and its value."""

_BRAILLE: Final = 0x2800
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot in a Braille character, by row and then by column."""
_NARROWEST: Final = 8
_LINES_OF_A_CURVE: Final = 8


def draw_curves(output: Output, curves: Sequence[tuple[str, Sequence[MetricPoint]]]) -> None:
    """Draw curves one below the other, each with its last and its best value."""
    braille = _can_write(output, "⠿┤")
    for position, (name, points) in enumerate(curves):
        if position:
            output.line()
        output.styled(name, "bold")
        pairs = [(float(point.step), point.value) for point in points]
        for line in draw_curve(
            pairs, columns=output.console.width, lines=_LINES_OF_A_CURVE, braille=braille
        ):
            output.line(line)
        lowest = min(points, key=lambda point: point.value)
        output.line(
            f"last {short(points[-1].value)}, lowest {short(lowest.value)} at step {lowest.step:,}"
        )


def _can_write(output: Output, text: str) -> bool:
    """Return whether the encoding of the output has these characters."""
    try:
        text.encode(output.out.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def draw_curve(
    points: Sequence[Point], *, columns: int, lines: int, braille: bool = True
) -> list[str]:
    """Draw a curve with its axes.

    Args:
        points: At least one point, in the order of steps.
        columns: The greatest width of the drawing.
        lines: The number of lines of the curve itself.
        braille: Whether the terminal can show Braille and box-drawing characters.
    """
    steps = [step for step, _ in points]
    values = [value for _, value in points]
    low, high = min(values), max(values)
    labels = _labels(low, high, lines)
    margin = max(len(label) for label in labels) + 2
    width = max(columns - margin, _NARROWEST)
    canvas = _Canvas(width, lines, 2 if braille else 1, 4 if braille else 1)
    across = _Scale(steps[0], steps[-1], canvas.width_in_dots)
    # The highest value is at the top, which is line 0.
    down = _Scale(high, low, canvas.height_in_dots)
    canvas.connect([(across.dot(step), down.dot(value)) for step, value in points])

    bare, tick, corner, rule = "│┤└─" if braille else "||+-"
    drawn: list[str] = []
    for label, row in zip(labels, canvas.rows(), strict=True):
        axis = tick if label else bare
        drawn.append(f"{label:>{margin - 2}} {axis}{row}".rstrip())
    drawn.append(f"{'':{margin - 1}}{corner}{rule * width}")
    drawn.append(f"{'':{margin}}{_ends(steps[0], steps[-1], width)}")
    return drawn


def short(value: float) -> str:
    """Return a number in a few characters."""
    return f"{value:.4g}"


def _labels(low: float, high: float, lines: int) -> list[str]:
    """Return the label of each line: the highest value at the top, the lowest at the bottom."""
    labels = [""] * lines
    if low == high:
        # A constant curve is drawn in the middle.
        labels[(lines - 1) // 2] = short(low)
        return labels
    labels[-1] = short(low)
    labels[0] = short(high)
    return labels


def _ends(first: float, last: float, width: int) -> str:
    """Return the line below the axis, with the first and the last step."""
    left, right = f"{first:,.0f}", f"{last:,.0f}"
    if first == last:
        return left
    gap = width - len(left) - len(right)
    return f"{left}{' ' * max(gap, 1)}{right}"


@dataclass(frozen=True)
class _Scale:
    """Maps values to dots: `start` to the first one, `end` to the last."""

    start: float
    end: float
    dots: int

    def dot(self, value: float) -> int:
        # Halve first, as the difference of two finite numbers may be infinite.
        distance = self.end / 2 - self.start / 2
        if distance == 0:
            return (self.dots - 1) // 2
        part = (value / 2 - self.start / 2) / distance
        return round(part * (self.dots - 1))


@dataclass
class _Canvas:
    """A grid of characters whose dots can be set."""

    columns: int
    lines: int
    dots_across: int
    dots_down: int
    _set: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    @property
    def width_in_dots(self) -> int:
        return self.columns * self.dots_across

    @property
    def height_in_dots(self) -> int:
        return self.lines * self.dots_down

    def connect(self, dots: Sequence[tuple[int, int]]) -> None:
        """Draw a straight line from each dot to the next."""
        previous = dots[0]
        self._set.add(previous)
        for dot in dots[1:]:
            if dot != previous:
                self._draw_line(previous, dot)
                previous = dot

    def _draw_line(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        (x, y), (end_x, end_y) = start, end
        steps = max(abs(end_x - x), abs(end_y - y))
        for step in range(1, steps + 1):
            part = step / steps
            self._set.add((round(x + (end_x - x) * part), round(y + (end_y - y) * part)))

    def rows(self) -> list[str]:
        """Return the lines of characters."""
        bits = [[0] * self.columns for _ in range(self.lines)]
        for x, y in self._set:
            column, side = divmod(x, self.dots_across)
            line, height = divmod(y, self.dots_down)
            bits[line][column] |= _DOTS[height][side]
        return ["".join(map(self._character, row)) for row in bits]

    def _character(self, bits: int) -> str:
        if self.dots_across == 1:
            return "*" if bits else " "
        return chr(_BRAILLE + bits) if bits else " "
