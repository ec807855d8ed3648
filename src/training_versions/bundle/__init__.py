"""Bundles: a package in one file, with its numbers, parents, content and history.

    format      how a line is written, read and checked
    columns     which columns travel, and what each of them must be
    index       a file that was read through and found whole
    files       opening files, and writing them whole or not at all
    progress    what callers hear while rows are written or sent
    export      the operation that writes a package to a file
    import_     the operation that reads it into a project
    results     what both return, and the error of a file

Only the last is loaded here, since importing this package must stay quick.
"""

from training_versions.bundle.results import (
    BundleError,
    BundleFile,
    ExportResult,
    ImportResult,
    Progress,
)

__all__ = ["BundleError", "BundleFile", "ExportResult", "ImportResult", "Progress"]
