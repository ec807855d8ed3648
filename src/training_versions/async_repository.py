"""The repositories, async; `repository.py`, their sync twin, is derived from this file by `scripts/derive_sync.py`.

Each operation is a signature, its documentation, and one line: what to send and how to read the reply is decided in
`_calls.py`, sending and reading is done in `_async_shell.py`. What comes after drafting and publishing is in
`async_life.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Unpack, overload

from training_versions._async_shell import RETRY_PAUSES, AsyncClient, AsyncRepository
from training_versions.async_life import AsyncVersionLife
from training_versions.models import (
    UNSET,
    C,
    Cents,
    D,
    Id,
    IterateOptions,
    JsonLike,
    ListOptions,
    M,
    Package,
    PackageFilters,
    Page,
    Unset,
    Version,
    VersionFilters,
    VersionSummary,
)
from training_versions.operations._calls import PackageCalls
from training_versions.operations._life_calls import LifeCalls
from training_versions.snapshots.codec import Codec

if (
    TYPE_CHECKING
):  # bundles are read and written rarely: importing this package does not wait for them
    from training_versions.bundle import ExportResult, ImportResult
    from training_versions.bundle._steps import BundleFile, Progress


class AsyncPackageRepository(AsyncRepository):
    """Training packages: create, read, change and delete what versions are versions of.

    Args:
        client: A `supabase.AsyncClient` that has signed in; a bare `postgrest` client works as well.
        retry_pauses: Seconds to wait before a write whose reply was lost is sent again; `()` switches that off.
    """

    def __init__(
        self, client: AsyncClient, *, retry_pauses: Sequence[float] = RETRY_PAUSES
    ) -> None:
        super().__init__(client, retry_pauses)
        self._calls = PackageCalls()

    async def create(
        self,
        name: str,
        *,
        template_type: str,
        config: JsonLike,
        package_id: Id | None = None,
        user_id: Id | None = None,
    ) -> Package:
        """Create a package that belongs to the caller.

        Args:
            name: 1 to 255 characters, not blank.
            template_type: What kind of training it is, such as `"lora_finetuning"`.
            config: The config that a first draft starts from.
            package_id: Its identifier, if you make it; the same one again returns the package it made.
            user_id: Its owner; only the service role may say so.

        Example:
            >>> package = await packages.create("support-bot", template_type="lora_finetuning", config={"r": 8})
        """
        return await self._call(
            self._calls.create(
                name,
                template_type=template_type,
                config=config,
                package_id=package_id,
                user_id=user_id,
            )
        )

    async def get(self, package_id: Id) -> Package:
        """Read a package.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.

        Example:
            >>> package = await packages.get(package_id)
        """
        return await self._read(self._calls.get(package_id))

    async def find(self, package_id: Id) -> Package | None:
        """Read a package, or `None` if there is none that the caller may see.

        Example:
            >>> if await packages.find(package_id) is None: ...
        """
        return await self._read(self._calls.find(package_id))

    async def update(
        self,
        package_id: Id,
        *,
        name: str | Unset = UNSET,
        template_type: str | Unset = UNSET,
        config: JsonLike | Unset = UNSET,
    ) -> Package:
        """Change what is named of a package; the rest stays.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.

        Example:
            >>> package = await packages.update(package.id, name="support-bot-2")
        """
        return await self._call(
            self._calls.update(package_id, name=name, template_type=template_type, config=config)
        )

    async def delete(self, package_id: Id) -> None:
        """Delete a package with its drafts.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.
            RejectedError: It has published or archived versions, which are history.

        Example:
            >>> await packages.delete(package.id)
        """
        await self._call(self._calls.delete(package_id))

    async def list(
        self, *, limit: int = 50, cursor: str | None = None, **filters: Unpack[PackageFilters]
    ) -> Page[Package]:
        """Read one page of packages, in the order of their identifiers.

        Args:
            limit: How many to return at most; a server may cap it, and the page is shorter then.
            cursor: The `next_cursor` of the page before.
            **filters: See `PackageFilters`.

        Example:
            >>> page = await packages.list(text="bot")
            >>> names = [package.name for package in page.items]
        """
        return await self._read(self._calls.list(limit=limit, cursor=cursor, filters=filters))

    def iterate(
        self, *, page_size: int = 200, **filters: Unpack[PackageFilters]
    ) -> AsyncIterator[Package]:
        """Walk over all packages that the filters let through, page by page.

        Example:
            >>> async for package in packages.iterate(): ...
        """
        return self._walk(self._calls.iterate(page_size=page_size, filters=filters))

    async def export(
        self, package_id: Id, file: BundleFile, *, progress: Progress | None = None
    ) -> ExportResult:
        """Write a package with its versions and history into one file, however many there are.

        Versions and events that are made after the export begins are left out. So are deployments, training runs with
        their curves, and entries of cost with their keys; the sum of the costs is in the file. Numbers beyond double
        precision are rounded, as in every reply that the SDK reads.

        Args:
            package_id: The package.
            file: A path, which shows the whole file or nothing, or a file open for writing bytes.
            progress: Called after each version and event with how many are written and how many there are.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.

        Example:
            >>> await packages.export(package.id, "support-bot.jsonl")
        """
        from training_versions.bundle._steps import export_steps

        return await self._carry_out(export_steps(package_id, file, progress))

    async def import_(
        self,
        file: BundleFile,
        *,
        package_id: Id | None = None,
        user_id: Id | None = None,
        progress: Progress | None = None,
    ) -> ImportResult:
        """Bring in a package that was exported, with its numbers, moments, parents and history.

        The file is read through before anything is written. Importing it again changes nothing. Nothing is live after
        an import: deployments do not travel, nor do training runs with their curves; costs come as one entry with
        their sum, without their keys. Numbers beyond double precision were rounded by the export.

        A parent in another package is found if that package is the same owner's here, also under other ids since it
        was imported. If not, `parents_missing` counts it; import its package, and then this one again, which gives a
        published version its parent. A draft keeps the one that it has, or none.

        Args:
            file: A path, or a file open for reading bytes that can go back to where it is now.
            package_id: The package to import into, if not the one that the file names; its name and config stay.
            user_id: The owner of a new package; only the service role may say so.
            progress: Called after each version and event with how many are brought in and how many there are.

        Raises:
            BundleError: The file is damaged, altered, no bundle, or of a newer format; the message names the line. An
                `InvalidInputError`, of `training_versions.bundle`.
            NotFoundError: There is no package `package_id`, or it is not the caller's.
            ConflictError: The package has another version with the same number, or the same one with other content.

        Example:
            >>> (await packages.import_("support-bot.jsonl")).versions_created
        """
        from training_versions.bundle._steps import caller_of, import_steps

        caller = caller_of(self._client.schema("public").headers)
        return await self._carry_out(import_steps(file, package_id, user_id, caller, progress))


class AsyncVersionRepository(AsyncVersionLife[C, M, D]):
    """The versions of training packages: draft, publish, archive, read, and all that comes after.

    Args:
        client: A `supabase.AsyncClient` that has signed in; a bare `postgrest` client works as well.
        config: The type of config snapshots, anything that Pydantic reads; plain JSON if left out.
        model: The type of model snapshots.
        dataset: The type of data set snapshots, such as `list[DatasetRef]`.
        retry_pauses: Seconds to wait before a write whose reply was lost is sent again; `()` switches that off.

    Raises:
        UnreadableReplyError: By whatever returns versions: a stored snapshot does not fit its type. A write was carried
            out all the same; `list` without snapshots, `compare` and `restore` work, and so does a repository without
            types.

    Example:
        >>> versions = AsyncVersionRepository(client, config=LoraConfig, dataset=list[DatasetRef])
    """

    def __init__(
        self,
        client: AsyncClient,
        *,
        config: type[C] | None = None,
        model: type[M] | None = None,
        dataset: type[D] | None = None,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        super().__init__(client, retry_pauses)
        self._calls = LifeCalls(
            Codec("config", "config_snapshot", config),
            Codec("model", "model_snapshot", model),
            Codec("dataset", "dataset_snapshot", dataset, many=True),
        )

    async def next_version_number(self, package_id: Id) -> int:
        """Tell the number that the next draft of a package gets; it is not reserved.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.

        Example:
            >>> await versions.next_version_number(package.id)
        """
        return await self._call(self._calls.next_version_number(package_id))

    async def create_draft(
        self,
        package_id: Id,
        *,
        config: C | JsonLike,
        model: M | JsonLike,
        dataset: D | Sequence[JsonLike],
        name: str | None = None,
        change_summary: str | None = None,
        parent_version_id: Id | None = None,
        estimated_cost: Cents | None = None,
        budget_limit: Cents | None = None,
        version_id: Id | None = None,
    ) -> Version[C, M, D]:
        """Create a draft with the next number of its package.

        Args:
            package_id: The package that it is a version of.
            config: The fine-tuning config.
            model: The base model.
            dataset: The data sets.
            name: 1 to 255 characters; by default made of the package's name, the number and the date.
            change_summary: What is new, at most 10,000 characters.
            parent_version_id: The version that it comes from.
            estimated_cost: 0 to 99,999,999.99, at most two decimals.
            budget_limit: The same.
            version_id: Its identifier, if you make it; the same one again returns the draft it made.

        Raises:
            NotFoundError: There is no such package or parent, or the caller may not see it.
            ConflictError: The identifier is that of another version, or of a draft that was deleted.
            OutcomeUnknownError: The reply was lost; with your own `version_id`, calling again is safe.

        Example:
            >>> draft = await versions.create_draft(package.id, config={"r": 8}, model={"id": "m"}, dataset=[])
        """
        return await self._call(
            self._calls.create_draft(
                package_id,
                config=config,
                model=model,
                dataset=dataset,
                name=name,
                change_summary=change_summary,
                parent_version_id=parent_version_id,
                estimated_cost=estimated_cost,
                budget_limit=budget_limit,
                version_id=version_id,
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
        change_summary: str | Unset | None = UNSET,
        parent_version_id: Id | Unset | None = UNSET,
        estimated_cost: Cents | Unset | None = UNSET,
        budget_limit: Cents | Unset | None = UNSET,
        expected_updated_at: datetime | None = None,
    ) -> Version[C, M, D]:
        """Change what is named of a draft; the rest stays, and `None` empties what may be empty.

        Args:
            version_id: The draft to change.
            config: As in `create_draft`, like all that follow.
            model: The base model.
            dataset: The data sets.
            name: Its name.
            change_summary: What is new.
            parent_version_id: The version that it comes from.
            estimated_cost: What training should cost.
            budget_limit: What training may cost.
            expected_updated_at: Refuse if it has changed since this moment (the `updated_at` you read); recording
                metrics or cost changes it, too.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It has changed since, or is not a draft any more.

        Example:
            >>> draft = await versions.update_draft(draft.id, config={"r": 16}, expected_updated_at=draft.updated_at)
        """
        return await self._call(
            self._calls.update_draft(
                version_id,
                config=config,
                model=model,
                dataset=dataset,
                name=name,
                change_summary=change_summary,
                parent_version_id=parent_version_id,
                estimated_cost=estimated_cost,
                budget_limit=budget_limit,
                expected_updated_at=expected_updated_at,
            )
        )

    async def delete_draft(
        self, version_id: Id, *, expected_updated_at: datetime | None = None
    ) -> None:
        """Delete a draft; its number is not given again, and its entries of cost go with it.

        Args:
            version_id: The draft to delete.
            expected_updated_at: Refuse if it has changed since this moment (the `updated_at` you read).

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It has changed since, or is not a draft any more.

        Example:
            >>> await versions.delete_draft(draft.id)
        """
        await self._call(
            self._calls.delete_draft(version_id, expected_updated_at=expected_updated_at)
        )

    async def publish(
        self,
        version_id: Id,
        *,
        name: str | None = None,
        expected_updated_at: datetime | None = None,
    ) -> Version[C, M, D]:
        """Publish a draft; from then on its content never changes.

        Publishing a version that is already published returns it unchanged, whatever `name` says.

        Args:
            version_id: The draft to publish.
            name: Its name from now on; by default the draft's, without `-draft-` and the date.
            expected_updated_at: Refuse if it has changed since this moment (the `updated_at` you read).

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It has changed since, or is archived.
            OutcomeUnknownError: The reply was lost; calling again is safe.

        Example:
            >>> version = await versions.publish(draft.id)
        """
        return await self._call(
            self._calls.publish(version_id, name=name, expected_updated_at=expected_updated_at)
        )

    async def archive(self, version_id: Id) -> Version[C, M, D]:
        """Archive a published version; its package then points at the newest one that is still published.

        Where it is live, its stay ends.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It is a draft.

        Example:
            >>> version = await versions.archive(version.id)
        """
        return await self._call(self._calls.archive(version_id))

    async def get(self, version_id: Id) -> Version[C, M, D]:
        """Read a version.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.

        Example:
            >>> version = await versions.get(version_id)
        """
        return await self._read(self._calls.get(version_id))

    async def find(self, version_id: Id) -> Version[C, M, D] | None:
        """Read a version, or `None` if there is none that the caller may see.

        Example:
            >>> if await versions.find(version_id) is None: ...
        """
        return await self._read(self._calls.find(version_id))

    async def get_by_number(self, package_id: Id, version_number: int) -> Version[C, M, D]:
        """Read a version by its number in a package.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.

        Example:
            >>> version = await versions.get_by_number(package.id, 3)
        """
        return await self._read(self._calls.get_by_number(package_id, version_number))

    async def latest_published(self, package_id: Id) -> Version[C, M, D] | None:
        """Read the published version with the highest number, or `None` if there is none.

        Example:
            >>> version = await versions.latest_published(package.id)
        """
        return await self._read(self._calls.latest_published(package_id))

    async def latest(self, package_id: Id) -> Version[C, M, D] | None:
        """Read the version with the highest number, whatever its status, or `None` if there is none.

        Example:
            >>> version = await versions.latest(package.id)
        """
        return await self._read(self._calls.latest(package_id))

    @overload
    async def list(
        self,
        package_id: Id | None = None,
        *,
        snapshots: Literal[False] = False,
        **options: Unpack[ListOptions],
    ) -> Page[VersionSummary]: ...
    @overload
    async def list(
        self,
        package_id: Id | None = None,
        *,
        snapshots: Literal[True],
        **options: Unpack[ListOptions],
    ) -> Page[Version[C, M, D]]: ...
    async def list(
        self,
        package_id: Id | None = None,
        *,
        snapshots: bool = False,
        **options: Unpack[ListOptions],
    ) -> Page[VersionSummary] | Page[Version[C, M, D]]:
        """Read one page of versions: of one package in the order of their numbers, or of all in that of time.

        Args:
            package_id: The package; all packages if left out.
            snapshots: Return whole versions.
            **options: `order`, `limit`, `cursor` and the filters, see `ListOptions` and `VersionFilters`.

        Example:
            >>> page = await versions.list(package.id, status="published", limit=20)
            >>> numbers = [summary.version_number for summary in page.items]
        """
        return await self._read(self._calls.list(package_id, snapshots, options))

    @overload
    def iterate(
        self,
        package_id: Id | None = None,
        *,
        snapshots: Literal[False] = False,
        **options: Unpack[IterateOptions],
    ) -> AsyncIterator[VersionSummary]: ...
    @overload
    def iterate(
        self,
        package_id: Id | None = None,
        *,
        snapshots: Literal[True],
        **options: Unpack[IterateOptions],
    ) -> AsyncIterator[Version[C, M, D]]: ...
    def iterate(
        self,
        package_id: Id | None = None,
        *,
        snapshots: bool = False,
        **options: Unpack[IterateOptions],
    ) -> AsyncIterator[VersionSummary] | AsyncIterator[Version[C, M, D]]:
        """Walk over all versions that the filters let through, page by page, in the order that `list` has.

        What others create or delete meanwhile neither hides a version nor repeats one.

        Args:
            package_id: The package; all packages if left out.
            snapshots: Return whole versions.
            **options: `order`, `page_size` and the filters, see `IterateOptions` and `VersionFilters`.

        Example:
            >>> async for summary in versions.iterate(package.id, status="draft"): ...
        """
        return self._walk(self._calls.iterate(package_id, snapshots, options))

    async def count(self, package_id: Id | None = None, **filters: Unpack[VersionFilters]) -> int:
        """Count the versions that the filters let through.

        Example:
            >>> await versions.count(package.id, status="draft")
        """
        return await self._read(self._calls.count(package_id, filters))
