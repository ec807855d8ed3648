"""The curve of a metric: a limited number of points to draw, and its values as text and table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from training_versions import MetricPoint

MAX_DRAWN: Final = 2_000
"""The most points that are drawn. A screen hardly has more columns."""
MAX_LISTED: Final = 50
"""The most points that the table shows."""


@dataclass(frozen=True)
class Curve:
    """The points of a metric, and its extremes."""

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
        """The points for the table: the first, the last, and others evenly spread between them."""
        count = len(self.points)
        if count <= MAX_LISTED:
            return self.points
        last = count - 1
        return [self.points[n * last // (MAX_LISTED - 1)] for n in range(MAX_LISTED)]

    @property
    def drawn(self) -> Sequence[MetricPoint]:
        """The points to draw: the lowest and the highest of each stretch of points, in their order.

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
        """Return the points to draw as the columns that uPlot expects."""
        return {
            "name": self.name,
            "points": len(self.points),
            "steps": [point.step for point in self.drawn],
            "values": [point.value for point in self.drawn],
        }
