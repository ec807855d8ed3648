"""Synthetic training curves: they fall with noise, and some rise again."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Curves:
    """The metrics of one run."""

    learning_rate: float
    loss: tuple[float, float] = (2.1, 0.8)
    """The loss at the beginning and at the end."""
    overfits: bool = False
    """Whether the loss on the evaluation set rises again halfway."""
    points: int = 36
    """The number of recorded steps."""
    stops_after: int | None = None
    """The number of recorded steps after which the run ends, if it ends early."""
    every: int = 25
    """The number of training steps between two recorded steps."""
    seed: int = 0

    def walk(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Yield each step with its metrics."""
        noise = random.Random(self.seed)
        recorded = self.points
        if self.stops_after is not None:
            recorded = self.stops_after
        for index in range(1, recorded + 1):
            part = index / self.points
            metrics = {
                "loss": self._loss(part) * noise.uniform(0.96, 1.04),
                "learning_rate": self._rate(part),
            }
            if index % 3 == 0:
                metrics["eval_loss"] = self._eval_loss(part) * noise.uniform(0.99, 1.01)
            yield (
                index * self.every,
                {name: float(f"{value:.5g}") for name, value in metrics.items()},
            )

    def _loss(self, part: float) -> float:
        start, end = self.loss
        return end + (start - end) * math.exp(-5 * part)

    def _eval_loss(self, part: float) -> float:
        usual = self._loss(part) * 1.06 + 0.04
        if not self.overfits:
            return usual
        return usual + 0.9 * max(0.0, part - 0.4)

    def _rate(self, part: float) -> float:
        """Return the learning rate: a warm-up, then half a cosine."""
        warm_up = 0.08
        if part < warm_up:
            return self.learning_rate * part / warm_up
        done = (part - warm_up) / (1 - warm_up)
        return self.learning_rate * (1 + math.cos(math.pi * done)) / 2
