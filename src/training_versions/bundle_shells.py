"""Export and import of packages over a client, sync and async; what is sent and read is decided in `bundle.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import TypeVar

from training_versions import _async_shell, _bundle_steps, _shell
from training_versions._bundle_steps import BundleFile, Progress, Steps
from training_versions._calls import Rpc
from training_versions.bundle import ExportResult, ImportResult
from training_versions.errors import TrainingVersionsError
from training_versions.models import Id

T = TypeVar("T")
RETRY_PAUSES = _async_shell.RETRY_PAUSES


class _Carrier(_shell.Repository):
    def carry_out(self, steps: Steps[T]) -> T:
        with closing(steps):
            go_on = partial(steps.send, None)
            while True:
                try:
                    step = go_on()
                except StopIteration as end:
                    return end.value
                try:
                    reply = step and (self._call(step) if isinstance(step, Rpc) else self._read(step))
                    go_on = partial(steps.send, reply)
                except TrainingVersionsError as exc:
                    go_on = partial(steps.throw, exc)

    def caller(self) -> str | None:
        return _bundle_steps.caller_of(self._client.schema("public").headers)


class _AsyncCarrier(_async_shell.AsyncRepository):
    async def carry_out(self, steps: Steps[T]) -> T:
        with closing(steps):
            go_on = partial(steps.send, None)
            while True:
                try:
                    step = go_on()
                except StopIteration as end:
                    return end.value
                try:
                    if step is None:
                        reply = await asyncio.sleep(0)
                    else:
                        reply = await (self._call(step) if isinstance(step, Rpc) else self._read(step))
                    go_on = partial(steps.send, reply)
                except TrainingVersionsError as exc:
                    go_on = partial(steps.throw, exc)

    def caller(self) -> str | None:
        return _bundle_steps.caller_of(self._client.schema("public").headers)


def export_package(
    client: _shell.Client,
    package_id: Id,
    file: BundleFile,
    *,
    progress: Progress | None = None,
    retry_pauses: Sequence[float] = RETRY_PAUSES,
) -> ExportResult:
    """Write a package with its versions and history into one file, however many there are.

    It holds what there is when the export begins: versions and events that are made later are left out. A draft is as
    it is when its turn comes; published versions cannot change.

    Args:
        client: A `supabase.Client` that has signed in; a bare `postgrest` client works as well.
        package_id: The package.
        file: A path, which shows the whole file or nothing, or a file open for writing bytes.
        progress: Called after each version and event with how many are written and how many there are.
        retry_pauses: Seconds to wait before a request whose reply was lost is sent again.

    Raises:
        NotFoundError: There is no such package, or the caller may not see it.

    Example:
        >>> export_package(client, package.id, "support-bot.jsonl")
    """
    carrier = _Carrier(client, retry_pauses)
    return carrier.carry_out(_bundle_steps.export_steps(package_id, file, progress))


def import_package(
    client: _shell.Client,
    file: BundleFile,
    *,
    package_id: Id | None = None,
    user_id: Id | None = None,
    progress: Progress | None = None,
    retry_pauses: Sequence[float] = RETRY_PAUSES,
) -> ImportResult:
    """Bring a package that was exported into this project, with its numbers, moments, parents and history.

    The file is read through before anything is written. Importing it again changes nothing. The package keeps its id,
    or gets one that follows from it where it is somebody else's here; versions likewise. Parents in other packages are
    kept where the caller has them here.

    Args:
        client: A `supabase.Client` that has signed in; a bare `postgrest` client works as well.
        file: A path, or a file open for reading bytes that can go back to where it is now.
        package_id: The package to import into, if not the one that the file names; its name and config stay.
        user_id: The owner of a new package; only the service role may say so.
        progress: Called after each version and event with how many are brought in and how many there are.
        retry_pauses: Seconds to wait before a batch whose reply was lost is sent again.

    Raises:
        BundleError: The file is damaged, altered, no bundle, or of a newer format; the message names the line.
        NotFoundError: There is no package `package_id`, or it is not the caller's.
        ConflictError: The package has another version with the same number, or the same one with other content.

    Example:
        >>> import_package(client, "support-bot.jsonl").versions_created
    """
    carrier = _Carrier(client, retry_pauses)
    return carrier.carry_out(_bundle_steps.import_steps(file, package_id, user_id, carrier.caller(), progress))


async def export_package_async(
    client: _async_shell.AsyncClient,
    package_id: Id,
    file: BundleFile,
    *,
    progress: Progress | None = None,
    retry_pauses: Sequence[float] = RETRY_PAUSES,
) -> ExportResult:
    """Write a package into one file; see `export_package`. The file is written by the event loop's thread.

    Example:
        >>> await export_package_async(client, package.id, "support-bot.jsonl")
    """
    carrier = _AsyncCarrier(client, retry_pauses)
    return await carrier.carry_out(_bundle_steps.export_steps(package_id, file, progress))


async def import_package_async(
    client: _async_shell.AsyncClient,
    file: BundleFile,
    *,
    package_id: Id | None = None,
    user_id: Id | None = None,
    progress: Progress | None = None,
    retry_pauses: Sequence[float] = RETRY_PAUSES,
) -> ImportResult:
    """Bring a package that was exported into this project; see `import_package`.

    Example:
        >>> (await import_package_async(client, "support-bot.jsonl")).versions_created
    """
    carrier = _AsyncCarrier(client, retry_pauses)
    return await carrier.carry_out(_bundle_steps.import_steps(file, package_id, user_id, carrier.caller(), progress))
