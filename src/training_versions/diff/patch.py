"""Changes as a JSON Patch (RFC 6902).

The order and the paths of its operations are decided in `compare.py`, as the changes are found.
"""

from collections.abc import Iterable
from typing import Final, cast

from training_versions.diff.changes import ChangeKind, PatchOperation
from training_versions.diff.documents import json_copy
from training_versions.models import JsonObject

_OPS: Final = {
    ChangeKind.ADDED: "add",
    ChangeKind.REMOVED: "remove",
    ChangeKind.CHANGED: "replace",
}


def json_patch(operations: Iterable[PatchOperation]) -> list[JsonObject]:
    """Write operations as RFC 6902 does, in the order in which they apply."""
    patch: list[dict[str, object]] = []
    for path, change in operations:
        operation: dict[str, object] = {"op": _OPS[change.kind], "path": path}
        if change.kind != ChangeKind.REMOVED:
            operation["value"] = change.new
        patch.append(operation)
    # A copy, so that whoever changes the patch does not change the diff.
    return cast("list[JsonObject]", json_copy(patch))
