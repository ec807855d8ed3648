"""The figures of a benchmark as tables in Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# As a ratio to the floor, from the issue that asked for them.
GOALS = {
    "get_by_number": 1.2,
    "get_by_id": 1.2,
    "latest": 1.2,
    "latest_published": 1.2,
    "list_5": 1.1,
    "list_100": 1.3,
    "list_100_whole": 1.1,
    "create": 1.3,
    "publish": 1.4,
    "update": 1.5,
    "archive": 1.6,
    "delete": 1.7,
    "record_metrics": 1.15,
    "record_cost": 1.25,
    "deploy": 1.4,
    "restore": 1.1,
}
NAMES = {
    "get_by_number": "get by number",
    "get_by_id": "get by id",
    "latest": "latest",
    "latest_published": "latest published",
    "list_5": "list, 5 summaries",
    "list_100": "list, 100 summaries",
    "list_100_whole": "list, 100 whole versions",
    "create": "create a draft",
    "publish": "publish",
    "update": "update",
    "archive": "archive",
    "delete": "delete",
    "record_metrics": "record metrics",
    "record_cost": "record a cost",
    "deploy": "deploy",
    "restore": "restore",
}
FLOORS = {"SDK, async": "floor, async"}
"""What a peer is compared with, if that is not the floor."""
SIZES = ("ten", "100,000")


def write_into(page: Path, name: str, table: str) -> None:
    """Put a table into a page of the docs, in place of the one that was made before."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{page} has no place for {name}")
    page.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")


def write_at_size(figures: dict[str, Any]) -> str:
    """Write the tables of the reads among a million versions."""
    parts: list[str] = []
    for server, measured in figures.items():
        lines = [f"**{server}**: ms on the clock, and of the database's processor", ""]
        lines += _head(["read", "package of ten", "package of 100,000"])
        for read, packages in measured["reads"].items():
            cells = [_wall_and_database(packages[f"package of {size}"]) for size in SIZES]
            lines.append(_line([read, *cells]))
        for search, each in measured["searches"].items():
            lines.append(_line([search, "", _wall_and_database(each)]))
        seconds = measured["walk of 100,000, seconds"]
        lines.append(_line(["walk of 100,000", "", f"{seconds:.1f} s"]))
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _wall_and_database(each: dict[str, float]) -> str:
    return f"{each['wall']:.1f} / {each['database']:.2f}"


def write_table(figures: dict[str, Any]) -> str:
    """Write all tables."""
    parts = [
        _ratios(figures["operations"], "total", "Processor time, all programs together"),
        _ratios(figures["operations"], "wall", "Time on the clock"),
        _database(figures["operations"]),
    ]
    if "writers" in figures:
        parts += [
            _rows("Sixteen writers, twenty drafts each, a second", figures["writers"]),
            _rows("A hundred async readers, a second", {"reads": figures["readers"]}),
            _rows("1 MB snapshots, processor ms of the database", figures["large"]),
            _rows("Snapshots to JSON, processor ms of the client", figures["encoding"]),
        ]
    return "\n\n".join(parts)


def _ratios(operations: dict[str, Any], figure: str, title: str) -> str:
    others = [name for name in _peers(operations) if name != "floor"]
    lines = [f"**{title}**; as a ratio to the floor, async to async", ""]
    lines += _head(["operation", "floor, ms", *others, "goal"])
    for operation, peers in operations.items():
        ratios = [f"{ratio(peers, name, figure):.2f}" if name in peers else "" for name in others]
        floor, goal = f"{peers['floor'][figure]:.2f}", f"{GOALS[operation]:g}"
        lines.append(_line([NAMES[operation], floor, *ratios, goal]))
    return "\n".join(lines)


def ratio(peers: dict[str, Any], name: str, figure: str) -> float:
    """Return what a peer costs as a ratio to its floor."""
    return peers[name][figure] / peers[FLOORS.get(name, "floor")][figure]


def _database(operations: dict[str, Any]) -> str:
    first = _peers(operations)
    lines = ["**Processor time of the database's backend**, ms", ""]
    lines += _head(["operation", *first])
    for operation, peers in operations.items():
        values = [f"{peers[name]['database']:.2f}" if name in peers else "" for name in first]
        lines.append(_line([NAMES[operation], *values]))
    return "\n".join(lines)


def _peers(operations: dict[str, Any]) -> list[str]:
    """Return the peers that can do any of the operations, in their order."""
    return list(dict.fromkeys(name for peers in operations.values() for name in peers))


def _rows(title: str, rows: dict[str, dict[str, float]]) -> str:
    columns = list(next(iter(rows.values())))
    lines = [f"**{title}**", "", *_head(["", *columns])]
    for name, values in rows.items():
        lines.append(_line([name, *(f"{values[column]:.4g}" for column in columns)]))
    return "\n".join(lines)


def _head(cells: list[str]) -> list[str]:
    return [_line(cells), _line(["---"] * len(cells))]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
