"""Lineage: where a version comes from, and what was made from it."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from pydantic import AwareDatetime, PrivateAttr

from training_versions.models.base import Record
from training_versions.models.versions import VersionStatus


class LineageNode(Record):
    """A version in its family tree."""

    __module__ = "training_versions"

    id: UUID
    package_id: UUID
    version_number: int
    name: str
    status: VersionStatus
    created_at: AwareDatetime
    change_summary: str | None
    parent_version_id: UUID | None
    # All children by parent, shared by the whole tree. Nodes that held each other would be copied,
    # compared and pickled by recursion, which ends at a few hundred generations.
    _children: Mapping[UUID, tuple["LineageNode", ...]] = PrivateAttr(
        default_factory=dict[UUID, "tuple[LineageNode, ...]"]
    )

    def __repr__(self) -> str:
        return f"<LineageNode {self.version_number} {self.name!r}, {self.status}>"

    @property
    def children(self) -> tuple["LineageNode", ...]:
        """The versions that have this one as their parent, in the order of creation."""
        return self._children.get(self.id, ())

    def walk(self) -> Iterator["LineageNode"]:
        """Go through this version and all its descendants, each before its children.

        Example:
            >>> numbers = [node.version_number for node in lineage.root.walk()]
        """
        ahead: list[LineageNode] = [self]
        while ahead:
            node = ahead.pop()
            yield node
            ahead.extend(reversed(node.children))

    def __eq__(self, other: object) -> bool:
        # Not the children, which Pydantic would compare as well, through the whole tree.
        return isinstance(other, LineageNode) and self.__dict__ == other.__dict__

    @classmethod
    def link(cls, rows: list[object]) -> dict[UUID, "LineageNode"]:
        """Read the rows of a family tree, and link every node to its children.

        Rows are in the order of creation, and so are the children of each node.
        """
        nodes: dict[UUID, LineageNode] = {}
        for row in rows:
            node = cls.model_validate(row)
            nodes[node.id] = node

        children_of: dict[UUID, list[LineageNode]] = {}
        for node in nodes.values():
            if node.parent_version_id is not None:
                children_of.setdefault(node.parent_version_id, []).append(node)

        shared = {parent: tuple(children) for parent, children in children_of.items()}
        for node in nodes.values():
            node._children = shared
        return nodes


class Lineage(Record):
    """A version and its family tree, as far as the caller may see it.

    `str()` draws the tree, one line a version: the longest line of descent goes straight down, the
    others are indented, and a star marks the version that was asked for.
    """

    __module__ = "training_versions"

    version: LineageNode
    """The version that was asked for."""
    ancestors: tuple[LineageNode, ...]
    """Its parent, the parent of that, and so on."""
    descendants: tuple[LineageNode, ...]
    """Its children, their children, and so on, in the order of creation."""
    root: LineageNode
    """The first ancestor, from which `children` leads to the whole tree."""

    def __repr__(self) -> str:
        ancestors, descendants = len(self.ancestors), len(self.descendants)
        version = self.version.version_number
        return f"<Lineage of version {version}: {ancestors} above, {descendants} below>"

    def __str__(self) -> str:
        lines: list[str] = []
        for indent, node in self.outline():
            mark = "*" if node.id == self.version.id else " "
            lines.append(f"{mark} {'  ' * indent}{node.name} ({node.status})")
        return "\n".join(lines)

    def outline(self) -> Iterator[tuple[int, LineageNode]]:
        """Yield every version as `str` draws it: how far it is indented, and the version.

        A branch is indented below its parent; the longest line of descent is not.
        """
        generations_below = self._generations_below()
        ahead = [(self.root, 0)]
        while ahead:
            node, indent = ahead.pop()
            yield indent, node
            if not node.children:
                continue
            # The last one pushed is drawn next: the branches first, the longest line below them.
            longest = max(node.children, key=lambda child: generations_below[child.id])
            ahead.append((longest, indent))
            for child in reversed(node.children):
                if child is not longest:
                    ahead.append((child, indent + 1))

    def _generations_below(self) -> dict[UUID, int]:
        """Count for each node how many generations descend from it."""
        below: dict[UUID, int] = {}
        for node in reversed(list(self.root.walk())):
            below[node.id] = max((below[child.id] + 1 for child in node.children), default=0)
        return below
