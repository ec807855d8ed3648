"""Reading: get, find, list, iterate over and count versions.

Derived from `_async/reading.py` by `scripts/derive_sync.py`: change that file instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Literal, Unpack, overload

from training_versions._sync.transport import Transport
from training_versions.models import (
    C,
    D,
    Id,
    IterateOptions,
    ListOptions,
    M,
    Page,
    Version,
    VersionFilters,
    VersionSummary,
)
from training_versions.operations import reading
from training_versions.operations.rows import SnapshotCodecs


class Reading(Generic[C, M, D]):
    """The operations that read versions; a part of `VersionRepository`."""

    _transport: Transport
    _codecs: SnapshotCodecs[C, M, D]

    def get(self, version_id: Id) -> Version[C, M, D]:
        """Read a version.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.

        Example:
            >>> version = versions.get(version_id)
        """
        return self._transport.run(reading.get(self._codecs, version_id))

    def find(self, version_id: Id) -> Version[C, M, D] | None:
        """Read a version, or return `None` if there is none that the caller may see.

        Example:
            >>> if versions.find(version_id) is None: ...
        """
        return self._transport.run(reading.find(self._codecs, version_id))

    def get_by_number(self, package_id: Id, version_number: int) -> Version[C, M, D]:
        """Read a version by its number in a package.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.

        Example:
            >>> version = versions.get_by_number(package.id, 3)
        """
        return self._transport.run(reading.get_by_number(self._codecs, package_id, version_number))

    def latest_published(self, package_id: Id) -> Version[C, M, D] | None:
        """Read the published version with the highest number, or return `None`.

        Example:
            >>> version = versions.latest_published(package.id)
        """
        return self._transport.run(reading.latest_published(self._codecs, package_id))

    def latest(self, package_id: Id) -> Version[C, M, D] | None:
        """Read the version with the highest number, whatever its status, or return `None`.

        Example:
            >>> version = versions.latest(package.id)
        """
        return self._transport.run(reading.latest(self._codecs, package_id))

    @overload
    def list(
        self,
        package_id: Id | None = None,
        *,
        snapshots: Literal[False] = False,
        **options: Unpack[ListOptions],
    ) -> Page[VersionSummary]: ...
    @overload
    def list(
        self,
        package_id: Id | None = None,
        *,
        snapshots: Literal[True],
        **options: Unpack[ListOptions],
    ) -> Page[Version[C, M, D]]: ...
    def list(
        self,
        package_id: Id | None = None,
        *,
        snapshots: bool = False,
        **options: Unpack[ListOptions],
    ) -> Page[VersionSummary] | Page[Version[C, M, D]]:
        """Read one page of versions.

        Those of one package come in the order of their numbers, those of all packages in the order
        in which they were created.

        Args:
            package_id: The package; all packages if left out.
            snapshots: Return whole versions.
            **options: `order`, `limit`, `cursor` and the filters, see `ListOptions` and
                `VersionFilters`.

        Example:
            >>> page = versions.list(package.id, status="published", limit=20)
            >>> numbers = [summary.version_number for summary in page]
        """
        return self._transport.run(
            reading.list_(self._codecs, package_id, snapshots=snapshots, options=options)
        )

    @overload
    def iterate(
        self,
        package_id: Id | None = None,
        *,
        snapshots: Literal[False] = False,
        **options: Unpack[IterateOptions],
    ) -> Iterator[VersionSummary]: ...
    @overload
    def iterate(
        self,
        package_id: Id | None = None,
        *,
        snapshots: Literal[True],
        **options: Unpack[IterateOptions],
    ) -> Iterator[Version[C, M, D]]: ...
    def iterate(
        self,
        package_id: Id | None = None,
        *,
        snapshots: bool = False,
        **options: Unpack[IterateOptions],
    ) -> Iterator[VersionSummary] | Iterator[Version[C, M, D]]:
        """Iterate over all versions that the filters keep, in the same order as `list`.

        Versions that others create or delete meanwhile neither hide a version nor repeat one.

        Args:
            package_id: The package; all packages if left out.
            snapshots: Return whole versions.
            **options: `order`, `page_size` and the filters, see `IterateOptions` and
                `VersionFilters`.

        Raises:
            UnreadableReplyError: At the end, after all versions that can be read: its `rows` name
                those that cannot.

        Example:
            >>> for summary in versions.iterate(package.id, status="draft"): ...
        """
        return self._transport.walk(
            reading.iterate(self._codecs, package_id, snapshots=snapshots, options=options)
        )

    def count(self, package_id: Id | None = None, **filters: Unpack[VersionFilters]) -> int:
        """Count the versions that the filters keep.

        Args:
            package_id: The package; all packages if left out.
            **filters: See `VersionFilters`.

        Example:
            >>> versions.count(package.id, status="draft")
        """
        return self._transport.run(reading.count(package_id, filters))
