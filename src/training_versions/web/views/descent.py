"""The line of descent of one version: where it comes from and what was made of it, close by."""

from dataclasses import dataclass
from typing import Final, Literal

from training_versions import Lineage, LineageNode

_ABOVE: Final = 8
_BELOW: Final = 20


@dataclass(frozen=True)
class Relative:
    """A version in the line of descent."""

    version: LineageNode
    place: Literal["ancestor", "self", "child"]


@dataclass(frozen=True)
class Descent:
    """The relatives that are shown, and how many are not."""

    nodes: list[Relative]
    hidden_above: int
    hidden_below: int


def descent(lineage: Lineage) -> Descent:
    """Show the nearest ancestors, the version itself, and what was made of it directly."""
    above = reversed(lineage.ancestors[:_ABOVE])
    children = lineage.version.children
    nodes = [Relative(node, "ancestor") for node in above]
    nodes.append(Relative(lineage.version, "self"))
    nodes += [Relative(node, "child") for node in children[:_BELOW]]
    return Descent(
        nodes=nodes,
        hidden_above=max(0, len(lineage.ancestors) - _ABOVE),
        hidden_below=len(lineage.descendants) - len(children[:_BELOW]),
    )
