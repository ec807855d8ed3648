"""Train a small model for real, and record how it went: metrics, cost, deployment.

    python examples/training_run.py

The model is a logistic regression in plain Python, which learns from the version's own config. Runs on the embedded
stack, or on your own project: see connect.py.
"""

import math
import random
from decimal import Decimal

from pydantic import BaseModel

from connect import connect
from training_versions import PackageRepository, VersionRepository

Point = tuple[float, float, int]


class Config(BaseModel):
    """How the model is trained."""

    learning_rate: float
    epochs: int
    seed: int = 0


def make_points(count: int, seed: int) -> list[Point]:
    """Draw points of two classes, which lie around (1, 1) and (-1, -1)."""
    chance = random.Random(seed)
    return [
        (chance.gauss(side, 1.0), chance.gauss(side, 1.0), int(side > 0))
        for side in (chance.choice((-1, 1)) for _ in range(count))
    ]


class Model:
    """Two weights and a bias."""

    def __init__(self) -> None:
        self.weights = [0.0, 0.0, 0.0]

    def predict(self, x: float, y: float) -> float:
        """Give the probability of the class around (1, 1)."""
        a, b, bias = self.weights
        return 1 / (1 + math.exp(-(a * x + b * y + bias)))

    def learn(self, points: list[Point], rate: float) -> None:
        """Go once through the points, and take one step down the loss for each."""
        for x, y, label in points:
            error = self.predict(x, y) - label
            for place, value in enumerate((x, y, 1.0)):
                self.weights[place] -= rate * error * value

    def evaluate(self, points: list[Point]) -> dict[str, float]:
        """Measure the mean loss and the share of points that are told right."""
        chances = [
            self.predict(x, y) if label else 1 - self.predict(x, y) for x, y, label in points
        ]
        loss = -sum(math.log(max(chance, 1e-12)) for chance in chances) / len(points)
        return {"loss": loss, "accuracy": sum(chance > 0.5 for chance in chances) / len(points)}


def main() -> None:
    """Train a version, publish it, and deploy it."""
    with connect() as (client, _):
        packages, versions = PackageRepository(client), VersionRepository(client, config=Config)
        package = packages.create("two-clouds", template_type="logistic_regression", config={})
        draft = versions.create_draft(
            package.id,
            config=Config(learning_rate=0.02, epochs=8),
            model={"kind": "logistic_regression", "inputs": 2},
            dataset=[{"datasetId": "two-clouds", "count": 400}],
            budget_limit="0.10",
        )

        config = draft.config_snapshot
        train, test = make_points(400, config.seed), make_points(200, config.seed + 1)
        model = Model()
        run = versions.start_training(draft.id)
        for epoch in range(1, config.epochs + 1):
            model.learn(train, config.learning_rate)
            versions.record_metrics(draft.id, model.evaluate(test), step=epoch, run_id=run.id)
            cost = versions.record_cost(
                draft.id, Decimal("0.01"), note=f"epoch {epoch}", key=f"{run.id}/{epoch}"
            )
            for share in cost.alerts:
                print(f"alert        {share} % of the budget of {cost.budget_limit} is spent")
        versions.complete_training(draft.id, run_id=run.id)

        curve = versions.metric_history(draft.id, "loss")
        print("loss         " + " ".join(f"{point.value:.3f}" for point in curve))
        version = versions.publish(draft.id)
        print(f"trained      {version.name}: {version.training_status}, cost {version.actual_cost}")

        versions.deploy(version.id, "local", url="http://127.0.0.1:8000")
        live = versions.live(package.id, "local")
        assert live is not None
        print(f"live         version {live.version_number} at {live.url}")
        for event in versions.iterate_history(version_id=version.id, order="oldest"):
            if event.kind != "cost_recorded":
                print(f"  {event.occurred_at:%H:%M:%S}  {event.kind}")


if __name__ == "__main__":
    main()
