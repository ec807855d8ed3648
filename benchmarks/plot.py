"""Draws the figures of a benchmark: every operation as a ratio to the floor.

    .venv-bench/bin/python benchmarks/plot.py docs/performance.json docs/performance.svg

Runs in an environment of its own, which has matplotlib.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

from report import GOALS, NAMES, ratio

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "training-versions"  # the same figures make the same file
from matplotlib import pyplot as plt  # noqa: E402 - after its settings

PEERS = {"by hand": "#b0a990", "SDK": "#1f6f8b", "SDK, async": "#74b3ce", "MLflow": "#c1666b"}
TICKS = (1, 1.5, 2, 3, 5, 10, 20, 50)


def draw(operations: dict[str, Any], target: Path) -> None:
    """Draw one group of bars for each operation, with its goal and the control."""
    peers = [name for name in PEERS if any(name in each for each in operations.values())]
    height = 0.8 / len(peers)
    figure, axes = plt.subplots(figsize=(8, 0.25 + 0.55 * len(operations)))
    for place, (operation, figures) in enumerate(operations.items()):
        for row, peer in enumerate(peers):
            if peer in figures:
                cost = ratio(figures, peer, "total")
                y = place - 0.4 + (row + 0.5) * height
                label = peer if place == 0 else None
                # Bars begin at the floor, to the right of it or to the left.
                axes.barh(y, cost - 1, height, left=1, color=PEERS[peer], label=label)
        label = "goal of the SDK" if place == 0 else None
        goal = GOALS[operation]
        axes.plot([goal, goal], [place - 0.4, place + 0.4], color="black", lw=1.5, label=label)

    noise = max(
        abs(each["floor again"]["total"] / each["floor"]["total"] - 1)
        for each in operations.values()
    )
    axes.axvspan(1 - noise, 1 + noise, color="0.85", zorder=0, label="control: the floor again")
    axes.set_xscale("log")
    axes.set_xlim(right=axes.get_xlim()[1])  # ticks beyond the bars do not widen it
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.minorticks_off()
    axes.set_yticks(range(len(operations)), [NAMES[operation] for operation in operations])
    axes.invert_yaxis()
    axes.set_xlabel("processor time of all programs together, as a ratio to bare httpx (log scale)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    source, made = map(Path, sys.argv[1:])
    draw(json.loads(source.read_text())["operations"], made)
