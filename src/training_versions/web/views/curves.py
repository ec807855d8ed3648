"""The curve of a metric: few enough points to draw, and words and a table for whoever sees none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from training_versions import MetricPoint

MAX_DRAWN: Final = 2_000
"""How many points are drawn; a screen has no more columns."""
MAX_LISTED: Final = 50
"""How many points the table shows."""


@dataclass(frozen=True)
class Curve:
    """The points of a metric, and what stands out in them."""

    name: str
    points: Sequence[MetricPoint]

    def __bool__(self) -> bool:
        return bool(self.points)

    @property
    def first(self) -> MetricPoint:
        """The point of the lowest step."""
        return self.points[0]

    @property
    def last(self) -> MetricPoint:
        """The point of the highest step."""
        return self.points[-1]

    @property
    def lowest(self) -> MetricPoint:
        """The first of the points with the lowest value."""
        return min(self.points, key=lambda point: point.value)

    @property
    def highest(self) -> MetricPoint:
        """The first of the points with the highest value."""
        return max(self.points, key=lambda point: point.value)

    @property
    def listed(self) -> Sequence[MetricPoint]:
        """Points for a table, spread evenly over the steps, the first and the last among them."""
        count = len(self.points)
        if count <= MAX_LISTED:
            return self.points
        last = count - 1
        return [self.points[n * last // (MAX_LISTED - 1)] for n in range(MAX_LISTED)]

    @property
    def drawn(self) -> Sequence[MetricPoint]:
        """Points to draw: of each stretch of steps the lowest and the highest, in their order.

        So no peak disappears, however many points there are.
        """
        count = len(self.points)
        if count <= MAX_DRAWN:
            return self.points
        stretches = MAX_DRAWN // 2
        drawn: list[MetricPoint] = []
        for n in range(stretches):
            stretch = self.points[n * count // stretches : (n + 1) * count // stretches]
            extremes = {
                min(stretch, key=lambda point: point.value).step,
                max(stretch, key=lambda point: point.value).step,
            }
            drawn += [point for point in stretch if point.step in extremes]
        return drawn

    def to_json(self) -> dict[str, object]:
        """Return the points as uPlot takes them, column by column."""
        return {
            "name": self.name,
            "points": len(self.points),
            "steps": [point.step for point in self.drawn],
            "values": [point.value for point in self.drawn],
        }
