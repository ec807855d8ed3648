"""Copies: compare, restore and fork versions, and follow their lineage.

Derived from `_async/copies.py` by `scripts/derive_sync.py`: change that file instead.
"""

from __future__ import annotations

from typing import Generic

from training_versions._sync.transport import Transport
from training_versions.diff import VersionDiff
from training_versions.models import C, CopiedDraft, D, Id, Lineage, M, VersionSummary
from training_versions.operations import copies
from training_versions.operations.rows import SnapshotCodecs


class Copies(Generic[C, M, D]):
    """The operations that compare and copy versions; a part of `VersionRepository`."""

    _transport: Transport
    _codecs: SnapshotCodecs[C, M, D]

    def compare(self, left: Id | VersionSummary, right: Id | VersionSummary) -> VersionDiff:
        """Compare two versions, of the same package or not.

        Compares the stored JSON, so fields that your models ignore still show, and versions that no
        longer fit your types can be compared as well. A version compared with itself has no
        differences.

        Args:
            left: The version to start from: its identifier, or the version itself, which a
                repository without types does not read again if its snapshots are plain JSON.
            right: The version to compare it with.

        Raises:
            InvalidInputError: One of them is neither a version nor an identifier.
            NotFoundError: There is no such version, or the caller may not see it.

        Example:
            >>> diff = versions.compare(first.id, draft)
            >>> print(diff.filter("/config_snapshot"))
        """
        return self._transport.run(copies.compare(self._codecs, left, right))

    def compare_numbers(self, package_id: Id, left: int, right: int) -> VersionDiff:
        """Compare two versions of a package by their numbers, as `compare` does.

        Args:
            package_id: The package.
            left: The number of the version to start from.
            right: The number of the version to compare it with.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.

        Example:
            >>> print(versions.compare_numbers(package.id, 1, 2))
        """
        return self._transport.run(copies.compare_numbers(package_id, left, right))

    def restore(
        self,
        version_id: Id,
        *,
        name: str | None = None,
        change_summary: str | None = None,
        new_version_id: Id | None = None,
    ) -> CopiedDraft:
        """Create a draft with the content of an old version, which becomes its parent.

        The content is copied inside the database, including what no longer fits the repository's
        types: `misfits` lists that.

        Args:
            version_id: The version to restore, whatever its status.
            name: 1 to 255 characters; by default made of the package's name, the version number and
                the date.
            change_summary: At most 10,000 characters; by default says which version was restored.
            new_version_id: The identifier of the draft, if you choose it; restoring again with the
                same one returns the existing draft.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: The identifier is that of another version, or of a deleted draft.
            OutcomeUnknownError: The reply was lost; with your own `new_version_id`, calling again
                is safe.

        Example:
            >>> draft = (versions.restore(version.id)).draft
        """
        return self._transport.run(
            copies.restore(
                self._codecs,
                version_id,
                name=name,
                change_summary=change_summary,
                new_version_id=new_version_id,
            )
        )

    def fork(
        self,
        version_id: Id,
        *,
        into: Id,
        name: str | None = None,
        change_summary: str | None = None,
        new_version_id: Id | None = None,
    ) -> CopiedDraft:
        """Create a draft in another package with the content of a version, its new parent.

        Args:
            version_id: The version to start from, whatever its status.
            into: The package for the draft; one of the caller's.
            name: 1 to 255 characters; by default made of the package's name, the version number and
                the date.
            change_summary: At most 10,000 characters; by default says which version was forked.
            new_version_id: The identifier of the draft, if you choose it; forking again with the
                same one returns the existing draft.

        Raises:
            NotFoundError: There is no such version or package, or the caller may not see it.
            ConflictError: The identifier is that of another version, or of a deleted draft.
            OutcomeUnknownError: The reply was lost; with your own `new_version_id`, calling again
                is safe.

        Example:
            >>> copied = versions.fork(version.id, into=other_package.id)
            >>> for misfit in copied.misfits: ...
        """
        return self._transport.run(
            copies.fork(
                self._codecs,
                version_id,
                into=into,
                name=name,
                change_summary=change_summary,
                new_version_id=new_version_id,
            )
        )

    def lineage(self, version_id: Id) -> Lineage:
        """Read the ancestors and descendants of a version, across packages.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.

        Example:
            >>> print(versions.lineage(version.id))
              support-bot-v1 (archived)
                sales-bot-v1 (published)
            * support-bot-v2 (published)
              support-bot-v3-draft-20250131 (draft)
        """
        return self._transport.run(copies.lineage(version_id))
