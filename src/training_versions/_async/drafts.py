"""Drafts: create, edit, delete, publish and archive versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, Unpack

from training_versions._async.transport import AsyncTransport
from training_versions.models import (
    UNSET,
    C,
    D,
    DraftFields,
    Id,
    JsonLike,
    M,
    Unset,
    Version,
)
from training_versions.operations import drafts
from training_versions.operations.rows import SnapshotCodecs


class AsyncDrafts(Generic[C, M, D]):
    """The operations on drafts and their publication; a part of `AsyncVersionRepository`."""

    _transport: AsyncTransport
    _codecs: SnapshotCodecs[C, M, D]

    async def next_version_number(self, package_id: Id) -> int:
        """Return the next version number of a package without reserving it.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.

        Example:
            >>> await versions.next_version_number(package.id)
        """
        return await self._transport.run(drafts.next_version_number(package_id))

    async def create_draft(
        self,
        package_id: Id,
        *,
        config: C | JsonLike,
        model: M | JsonLike,
        dataset: D | Sequence[JsonLike],
        name: str | None = None,
        version_id: Id | None = None,
        **fields: Unpack[DraftFields],
    ) -> Version[C, M, D]:
        """Create a draft with the next number of its package.

        Args:
            package_id: The package that it is a version of.
            config: The fine-tuning config.
            model: The base model.
            dataset: The data sets.
            name: 1 to 255 characters; by default made of the package's name, the version number and
                the date.
            version_id: Its identifier, if you choose it; creating it again with the same one
                returns the existing draft, which says that it is `replayed`.
            **fields: See `DraftFields`.

        Raises:
            NotFoundError: There is no such package or parent, or the caller may not see it.
            ConflictError: The identifier was given for something else, or for a deleted draft.
            OutcomeUnknownError: The reply was lost; with your own `version_id`, calling again is
                safe.

        Example:
            >>> draft = await versions.create_draft(
            ...     package.id, config={"r": 8}, model={"id": "m"}, dataset=[]
            ... )
        """
        return await self._transport.run(
            drafts.create_draft(
                self._codecs,
                package_id,
                config=config,
                model=model,
                dataset=dataset,
                name=name,
                version_id=version_id,
                fields=fields,
            )
        )

    async def update_draft(
        self,
        version_id: Id,
        *,
        config: C | JsonLike | Unset = UNSET,
        model: M | JsonLike | Unset = UNSET,
        dataset: D | Sequence[JsonLike] | Unset = UNSET,
        name: str | Unset = UNSET,
        expected_updated_at: datetime | None = None,
        **fields: Unpack[DraftFields],
    ) -> Version[C, M, D]:
        """Change the named fields of a draft; the others stay as they are.

        An edit that changes nothing succeeds, so the same edit can be made again. Without
        `expected_updated_at` it may then overwrite what somebody else edited in between.

        Args:
            version_id: The draft to change.
            config: The fine-tuning config.
            model: The base model.
            dataset: The data sets.
            name: 1 to 255 characters.
            expected_updated_at: Optimistic concurrency: refuse if the draft was edited since this
                moment (the `updated_at` that you read). Training, deployment and recorded cost are
                no edits, although they move `updated_at`, too.
            **fields: See `DraftFields`; `None` empties a field.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It was edited since, or is no longer a draft.

        Example:
            >>> draft = await versions.update_draft(
            ...     draft.id, config={"r": 16}, expected_updated_at=draft.updated_at
            ... )
        """
        return await self._transport.run(
            drafts.update_draft(
                self._codecs,
                version_id,
                config=config,
                model=model,
                dataset=dataset,
                name=name,
                expected_updated_at=expected_updated_at,
                fields=fields,
            )
        )

    async def delete_draft(
        self, version_id: Id, *, expected_updated_at: datetime | None = None
    ) -> None:
        """Delete a draft with its cost entries; its number is not given again.

        Deleting a draft that you deleted already does nothing.

        Args:
            version_id: The draft to delete.
            expected_updated_at: Refuse if it was edited since this moment (the `updated_at` that
                you read).

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It was edited since, or is no longer a draft.

        Example:
            >>> await versions.delete_draft(draft.id)
        """
        await self._transport.run(
            drafts.delete_draft(version_id, expected_updated_at=expected_updated_at)
        )

    async def publish(
        self,
        version_id: Id,
        *,
        name: str | None = None,
        expected_updated_at: datetime | None = None,
    ) -> Version[C, M, D]:
        """Publish a draft; from then on its content never changes.

        Publishing a version that is already published returns it unchanged, whatever the other
        arguments are.

        Args:
            version_id: The draft to publish.
            name: Its name from now on; by default the draft's, without `-draft-` and the date.
            expected_updated_at: Refuse if it was edited since this moment (the `updated_at` that
                you read).

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It was edited since, or is archived.
            OutcomeUnknownError: The reply was lost; calling again is safe.

        Example:
            >>> version = await versions.publish(draft.id)
        """
        return await self._transport.run(
            drafts.publish(
                self._codecs, version_id, name=name, expected_updated_at=expected_updated_at
            )
        )

    async def archive(self, version_id: Id) -> Version[C, M, D]:
        """Archive a published version; its deployments end.

        The current version of its package is then the newest one that is still published. Archiving
        a version that is archived already returns it unchanged.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It is a draft.

        Example:
            >>> version = await versions.archive(version.id)
        """
        return await self._transport.run(drafts.archive(self._codecs, version_id))
