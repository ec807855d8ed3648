"""Train a small model for real, and record its metrics, its cost and its deployment.

    .venv/bin/python examples/training_run.py

The model is a logistic regression in plain Python. It is trained with the version's own config, and
its loss becomes a curve of the training run. Runs on the embedded stack, or on your own project:
see connect.py.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel

from connect import connect
from training_versions import PackageRepository, Version, VersionRepository

COST_OF_AN_EPOCH = Decimal("0.01")


class Config(BaseModel):
    """How the model is trained."""

    learning_rate: float
    epochs: int
    seed: int = 0


@dataclass(frozen=True)
class Point:
    """A point of one of two classes: 1 lies around (1, 1), and 0 around (-1, -1)."""

    x: float
    y: float
    label: int


def make_points(count: int, seed: int) -> list[Point]:
    """Draw random points of both classes."""
    generator = random.Random(seed)
    points: list[Point] = []
    for _ in range(count):
        label = generator.choice((0, 1))
        center = 2 * label - 1
        points.append(Point(generator.gauss(center, 1.0), generator.gauss(center, 1.0), label))
    return points


class Model:
    """A logistic regression: two weights and a bias."""

    def __init__(self) -> None:
        self.weights = [0.0, 0.0]
        self.bias = 0.0

    def predict(self, point: Point) -> float:
        """Return the probability that a point is of class 1."""
        logit = self.weights[0] * point.x + self.weights[1] * point.y + self.bias
        return 1 / (1 + math.exp(-logit))

    def train(self, points: list[Point], learning_rate: float) -> None:
        """Train one epoch of stochastic gradient descent."""
        for point in points:
            step = learning_rate * (self.predict(point) - point.label)
            self.weights[0] -= step * point.x
            self.weights[1] -= step * point.y
            self.bias -= step

    def evaluate(self, points: list[Point]) -> dict[str, float]:
        """Return the mean cross-entropy loss and the accuracy."""
        loss = 0.0
        correct = 0
        for point in points:
            probability = self.predict(point)
            if point.label == 0:
                probability = 1 - probability
            loss -= math.log(max(probability, 1e-12))
            correct += probability > 0.5
        return {"loss": loss / len(points), "accuracy": correct / len(points)}


def train(versions: VersionRepository[Config], draft: Version[Config]) -> None:
    """Train a draft, and record the metrics and the cost of each epoch."""
    config = draft.config_snapshot
    training_points = make_points(400, config.seed)
    test_points = make_points(200, config.seed + 1)
    model = Model()

    run = versions.start_training(draft.id)
    for epoch in range(1, config.epochs + 1):
        model.train(training_points, config.learning_rate)
        metrics = model.evaluate(test_points)
        versions.record_metrics(draft.id, metrics, step=epoch, run_id=run.id)
        cost = versions.record_cost(
            draft.id, COST_OF_AN_EPOCH, note=f"epoch {epoch}", key=f"{run.id}/{epoch}"
        )
        for percentage in cost.alerts:
            print(f"alert        {percentage} % of the budget of {cost.budget_limit} is spent")
    versions.complete_training(draft.id, run_id=run.id)


def main() -> None:
    """Train a version, publish it, deploy it, and read its history."""
    with connect() as (client, _):
        packages = PackageRepository(client)
        versions = VersionRepository(client, config=Config)
        package = packages.create("two-clouds", template_type="logistic_regression", config={})
        draft = versions.create_draft(
            package.id,
            config=Config(learning_rate=0.02, epochs=8),
            model={"kind": "logistic_regression", "inputs": 2},
            dataset=[{"datasetId": "two-clouds", "count": 400}],
            budget_limit="0.10",
        )

        train(versions, draft)
        curve = versions.metric_history(draft.id, "loss")
        print("loss         " + " ".join(f"{point.value:.3f}" for point in curve))
        version = versions.publish(draft.id)
        print(f"trained      {version.name}: {version.training_status}, cost {version.actual_cost}")

        versions.deploy(version.id, "local", url="http://127.0.0.1:8000")
        deployment = versions.live(package.id, "local")
        assert deployment is not None
        print(f"live         version {deployment.version_number} at {deployment.url}")

        for event in versions.iterate_history(version_id=version.id, order="oldest"):
            if event.kind != "cost_recorded":
                print(f"  {event.occurred_at:%H:%M:%S}  {event.kind}")


if __name__ == "__main__":
    main()
