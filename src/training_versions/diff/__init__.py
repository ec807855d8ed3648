"""What differs between two versions: as changes, as text for people, and as JSON Patch.

Pure functions over versions that were read already; nothing here fetches or stores anything.

`compare.py` walks two documents, and `matching.py` decides which entries of two arrays belong
together. A `VersionDiff` holds what they find; `text.py` and `patch.py` write it.
"""

from training_versions.diff.changes import Change, ChangeKind
from training_versions.diff.compare import compare_versions
from training_versions.diff.documents import document
from training_versions.diff.identities import entry_label, identities_of
from training_versions.diff.version_diff import VersionDiff

__all__ = [
    "Change",
    "ChangeKind",
    "VersionDiff",
    "compare_versions",
    "document",
    "entry_label",
    "identities_of",
]
