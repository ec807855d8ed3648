"""Snapshots: from what users hold to JSON that comes back equal, and from stored JSON to types.

What belongs here knows JSON and Pydantic, and neither columns nor requests.
"""

from training_versions.snapshots.codec import Codec
from training_versions.snapshots.equality import MISSING, changed_paths, json_equal
from training_versions.snapshots.json_values import MAX_DEPTH, check_storable, to_json
from training_versions.snapshots.misfits import find_misfits
from training_versions.snapshots.pointers import escape_step, pointer

__all__ = [
    "MAX_DEPTH",
    "MISSING",
    "Codec",
    "changed_paths",
    "check_storable",
    "escape_step",
    "find_misfits",
    "json_equal",
    "pointer",
    "to_json",
]
