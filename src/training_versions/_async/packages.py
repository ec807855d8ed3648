"""Packages: create, read, change, delete, export and import them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Unpack

from training_versions import bundle
from training_versions._async.transport import AsyncTransport
from training_versions.bundle import BundleFile, ExportResult, ImportResult, Progress
from training_versions.models import (
    UNSET,
    Id,
    JsonLike,
    Package,
    PackageFilters,
    PackageOverview,
    Page,
    Unset,
)
from training_versions.operations import packages
from training_versions.snapshots import Codec


class AsyncPackages:
    """The operations on packages; a part of `AsyncPackageRepository`."""

    _transport: AsyncTransport
    _config: Codec[object]

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
            name: 1 to 255 characters, not all blank.
            template_type: What kind of training it is for, such as `"lora_finetuning"`.
            config: The config that a first draft starts from.
            package_id: Its identifier, if you choose it; creating it again with the same one
                returns the existing package, which says that it is `replayed`.
            user_id: Its owner; only the service role may name another.

        Raises:
            ConflictError: The identifier was given for something else.

        Example:
            >>> package = await packages.create(
            ...     "support-bot", template_type="lora_finetuning", config={"r": 8}
            ... )
        """
        return await self._transport.run(
            packages.create(
                self._config,
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
        return await self._transport.run(packages.get(package_id))

    async def find(self, package_id: Id) -> Package | None:
        """Read a package, or return `None` if there is none that the caller may see.

        Example:
            >>> if await packages.find(package_id) is None: ...
        """
        return await self._transport.run(packages.find(package_id))

    async def find_by_name(self, name: str, *, user_id: Id | None = None) -> Package | None:
        """Read the caller's package of that name, or return `None` if there is none.

        Names need not be unique: of several it is the one that was created first.

        Args:
            name: The whole name, with its case.
            user_id: Whose package it is, for the service role; without it, anybody's.

        Example:
            >>> package = await packages.find_by_name("support-bot")
        """
        return await self._transport.run(packages.find_by_name(name, user_id=user_id))

    async def get_or_create(
        self,
        name: str,
        *,
        template_type: str,
        config: JsonLike,
        user_id: Id | None = None,
    ) -> Package:
        """Return the caller's package of that name, as `find_by_name` does, or create it.

        A program that starts with it finds its package again at the next start. Calls at the same
        time create one package. (`create` makes another one of the same name.)

        Args:
            name: 1 to 255 characters, not all blank.
            template_type: Of a package that is created, as in `create`; one that is there already
                keeps its own.
            config: Likewise.
            user_id: Its owner; only the service role may name another.

        Example:
            >>> package = await packages.get_or_create(
            ...     "support-bot", template_type="lora_finetuning", config={"r": 8}
            ... )
        """
        return await self._transport.run(
            packages.get_or_create(
                self._config,
                name,
                template_type=template_type,
                config=config,
                user_id=user_id,
            )
        )

    async def update(
        self,
        package_id: Id,
        *,
        name: str | Unset = UNSET,
        template_type: str | Unset = UNSET,
        config: JsonLike | Unset = UNSET,
    ) -> Package:
        """Change the named fields of a package; the others stay as they are.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.

        Example:
            >>> package = await packages.update(package.id, name="support-bot-2")
        """
        return await self._transport.run(
            packages.update(
                self._config,
                package_id,
                name=name,
                template_type=template_type,
                config=config,
            )
        )

    async def delete(self, package_id: Id) -> None:
        """Delete a package with its drafts.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.
            RejectedError: It has published or archived versions, which are history.

        Example:
            >>> await packages.delete(package.id)
        """
        await self._transport.run(packages.delete(package_id))

    async def list(
        self,
        *,
        order: Literal["newest", "oldest"] = "newest",
        limit: int = 50,
        cursor: str | None = None,
        **filters: Unpack[PackageFilters],
    ) -> Page[Package]:
        """Read one page of packages, in the order in which they were created.

        Args:
            order: Which come first. Where the table is older than this project and has no
                `created_at`, packages come in the order of their identifiers.
            limit: The most to return; a server may cap it, and the page is shorter then.
            cursor: The `next_cursor` of the page before.
            **filters: See `PackageFilters`.

        Example:
            >>> page = await packages.list(text="bot")
            >>> names = [package.name for package in page]
        """
        return await self._transport.run(
            packages.list_(order=order, limit=limit, cursor=cursor, filters=filters)
        )

    def iterate(
        self,
        *,
        order: Literal["newest", "oldest"] = "newest",
        page_size: int = 200,
        **filters: Unpack[PackageFilters],
    ) -> AsyncIterator[Package]:
        """Iterate over all packages that the filters keep, page by page.

        Args:
            order: Which come first, as in `list`.
            page_size: How many to ask for at once.
            **filters: See `PackageFilters`.

        Example:
            >>> async for package in packages.iterate(): ...
        """
        return self._transport.walk(
            packages.iterate(order=order, page_size=page_size, filters=filters)
        )

    async def overviews(
        self,
        *,
        order: Literal["newest", "oldest"] = "newest",
        limit: int = 50,
        cursor: str | None = None,
        **filters: Unpack[PackageFilters],
    ) -> Page[PackageOverview]:
        """Read one page of packages with what is live, drafts, costs and last change: one request.

        Args:
            order: Which come first, as in `list`.
            limit: The most to return; a server may cap it, and the page is shorter then.
            cursor: The `next_cursor` of the page before.
            **filters: See `PackageFilters`.

        Example:
            >>> page = await packages.overviews(text="bot")
            >>> live = {overview.name: overview.live for overview in page}
        """
        return await self._transport.run(
            packages.overviews(order=order, limit=limit, cursor=cursor, filters=filters)
        )

    def iterate_overviews(
        self,
        *,
        order: Literal["newest", "oldest"] = "newest",
        page_size: int = 200,
        **filters: Unpack[PackageFilters],
    ) -> AsyncIterator[PackageOverview]:
        """Iterate over the overviews of all packages that the filters keep, page by page.

        Args:
            order: Which come first, as in `list`.
            page_size: How many to ask for at once.
            **filters: See `PackageFilters`.

        Example:
            >>> async for overview in packages.iterate_overviews(): ...
        """
        return self._transport.walk(
            packages.iterate_overviews(order=order, page_size=page_size, filters=filters)
        )

    async def export(
        self, package_id: Id, file: BundleFile, *, progress: Progress | None = None
    ) -> ExportResult:
        """Write a package with its versions and history into one file, however many there are.

        Left out are versions and events made after the export begins, deployments, training runs
        with their curves, and cost entries with their keys; the sum of the costs is in the file.
        Numbers beyond double precision are rounded, as in every reply that the SDK reads.

        Args:
            package_id: The package.
            file: A path, which shows the whole file or nothing, or a file open for writing bytes.
            progress: Called after each version and event with how many are written and how many
                there are.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.

        Example:
            >>> await packages.export(package.id, "support-bot.jsonl")
        """
        return await self._transport.run(bundle.export_package(package_id, file, progress))

    async def import_(
        self,
        file: BundleFile,
        *,
        package_id: Id | None = None,
        user_id: Id | None = None,
        progress: Progress | None = None,
        dry_run: bool = False,
    ) -> ImportResult:
        """Import an exported package, with its numbers, timestamps, parents and history.

        The file is read through before anything is written. Importing it again changes nothing.
        Nothing is live after an import: deployments are not in the file, nor are training runs with
        their curves; costs arrive as one entry with their sum, without their keys.

        A parent in another package is found if that package belongs to the same owner here, also
        where it was imported under new identifiers. If it is not found, `parents_missing` counts
        it; import its package, and then this one again, which gives a published version its parent.
        A draft keeps the parent that it has, or none.

        Args:
            file: A path, or a seekable file open for reading bytes, read from where it is now.
            package_id: The package to import into, if not the one that the file names; its name and
                config stay.
            user_id: The owner of a new package; only the service role may name another.
            progress: Called after each version and event with how many are imported and how many
                there are.
            dry_run: Change nothing, and return what the import would do. The database applies all
                of its rules, and takes back what it did; the history of a package that is not there
                yet is only counted.

        Raises:
            BundleError: The file is damaged, altered, no bundle, or of a newer format; the message
                names the line. An `InvalidInputError`.
            NotFoundError: There is no package `package_id`, or it is not the caller's.
            ConflictError: The package has another version with the same number, or the same version
                with other content.

        Example:
            >>> plan = await packages.import_("support-bot.jsonl", dry_run=True)
            >>> (await packages.import_("support-bot.jsonl")).versions_created
        """
        return await self._transport.run(
            bundle.import_package(
                file, package_id=package_id, user_id=user_id, progress=progress, dry_run=dry_run
            )
        )
