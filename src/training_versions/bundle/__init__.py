"""Bundles: a package in one file, with its numbers, parents, content and history.

    format      how a line is written, read and checked
    columns     which columns a bundle has, and what each of them must be
    index       a file that was read through and found whole
    files       opening files, and writing them whole or not at all
    progress    the callback that reports progress
    export      the operation that writes a package to a file
    import_     the operation that reads it into a project
    results     what both return, and the error of a file

Bundles are rare, so only the last is loaded here: the two operations are loaded when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from training_versions.bundle.results import (
    BundleError,
    BundleFile,
    ExportResult,
    ImportResult,
    Progress,
)

if TYPE_CHECKING:
    from training_versions.bundle.export import export_package
    from training_versions.bundle.import_ import import_package

__all__ = [
    "BundleError",
    "BundleFile",
    "ExportResult",
    "ImportResult",
    "Progress",
    "export_package",
    "import_package",
]

_OPERATIONS = {"export_package": "export", "import_package": "import_"}


def __getattr__(name: str) -> object:
    """Load an operation when it is first used (PEP 562)."""
    if name not in _OPERATIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_OPERATIONS[name]}"), name)
