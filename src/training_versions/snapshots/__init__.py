"""Snapshots: from what users hold to JSON that comes back equal, and from stored JSON to types.

What belongs here knows JSON and Pydantic, and neither columns nor requests.

    codec           how one kind of snapshot is written and read; start here
    json_values     what can be stored as JSON, and what is refused
    plain           the fast way for what is plain JSON already
    limits          what `jsonb` and Python can hold
    numbers         numbers of NumPy and the like
    objects         what objects hold, and which ones hold data
    dumps           what Pydantic dumps, put right
    key_order       objects whose keys mean something by their order
    secrets         which text is a secret
    read_back       whether a type reads back what it writes
    equality        when two JSON values are equal, and where two objects differ
    pointers        where in a document something is
    misfits         where a stored snapshot does not fit a type
    foreign         what a value raises when it is looked at, as an error of ours
    core_schemas    which keys a type reads, for `misfits` alone
"""

from training_versions.snapshots.codec import Codec, stored_form
from training_versions.snapshots.equality import (
    MISSING,
    ContentFingerprints,
    KeyPath,
    changed_paths,
    json_equal,
)
from training_versions.snapshots.foreign import refuses_foreign_errors, refusing_foreign_errors
from training_versions.snapshots.json_values import check_storable, to_json
from training_versions.snapshots.limits import MAX_DEPTH
from training_versions.snapshots.numbers import plain_number, shortest_decimal
from training_versions.snapshots.pointers import escape_step, pointer

__all__ = [
    "MAX_DEPTH",
    "MISSING",
    "Codec",
    "ContentFingerprints",
    "KeyPath",
    "changed_paths",
    "check_storable",
    "escape_step",
    "json_equal",
    "plain_number",
    "pointer",
    "refuses_foreign_errors",
    "refusing_foreign_errors",
    "shortest_decimal",
    "stored_form",
    "to_json",
]
