"""The async repositories, put together from the topics in `_async/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from training_versions._async.copies import AsyncCopies
from training_versions._async.costs import AsyncCosts
from training_versions._async.deployments import AsyncDeployments
from training_versions._async.drafts import AsyncDrafts
from training_versions._async.history import AsyncHistory
from training_versions._async.packages import AsyncPackages
from training_versions._async.reading import AsyncReading
from training_versions._async.training import AsyncTraining
from training_versions._async.transport import AsyncClient, AsyncTransport
from training_versions.models import C, D, M
from training_versions.operations.retries import DEFAULT_PAUSES
from training_versions.operations.rows import SnapshotCodecs


class AsyncPackageRepository(AsyncPackages):
    """Training packages: create, read, change and delete what versions are versions of.

    Every write is one transaction, and takes effect once even if the SDK sends it twice. To create
    something again after an error, pass your own identifier. Every operation may raise any
    `TrainingVersionsError`; what it lists itself is particular to it.

    Args:
        client: A `supabase.AsyncClient` that has signed in; a bare `postgrest` client works as
            well.
        retry_pauses: Seconds to wait before each repeat of a call whose reply was lost or that the
            database rolled back, shortened by up to half at random; `()` switches repeats off.
            Reads are repeated at most twice. The postgrest client's own repeats are not used.

    Example:
        >>> packages = AsyncPackageRepository(client)
    """

    __module__ = "training_versions"

    def __init__(
        self, client: AsyncClient, *, retry_pauses: Sequence[float] = DEFAULT_PAUSES
    ) -> None:
        self._transport = AsyncTransport(client, type(self).__name__, retry_pauses)


class AsyncVersionRepository(
    AsyncDrafts[C, M, D],
    AsyncReading[C, M, D],
    AsyncCopies[C, M, D],
    AsyncTraining,
    AsyncDeployments,
    AsyncCosts,
    AsyncHistory,
    Generic[C, M, D],
):
    """The versions of training packages: draft, publish, archive, read, and all that comes after.

    Without types, snapshots are plain JSON. With them, snapshots are read and written by Pydantic,
    and versions are `Version[C, M, D]`.

    Every write is one transaction, and takes effect once even if the SDK sends it twice. To create
    something again after an error, pass your own identifier. Every operation may raise any
    `TrainingVersionsError`; what it lists itself is particular to it.

    Args:
        client: A `supabase.AsyncClient` that has signed in; a bare `postgrest` client works as
            well.
        config: The type of the fine-tuning config.
        model: The type of the base model.
        dataset: The type of the data sets, such as `list[DatasetRef]`.
        retry_pauses: Seconds to wait before each repeat of a call whose reply was lost or that the
            database rolled back, shortened by up to half at random; `()` switches repeats off.
            Reads are repeated at most twice. The postgrest client's own repeats are not used.

    Raises:
        UnreadableReplyError: From every operation that returns versions, when a stored snapshot
            does not fit its type. A write was carried out all the same. `list` without snapshots,
            `compare` and `restore` still work, and so does a repository without types.

    Example:
        >>> versions = AsyncVersionRepository(client, config=LoraConfig, dataset=list[DatasetRef])
    """

    __module__ = "training_versions"

    def __init__(
        self,
        client: AsyncClient,
        *,
        config: type[C] | None = None,
        model: type[M] | None = None,
        dataset: type[D] | None = None,
        retry_pauses: Sequence[float] = DEFAULT_PAUSES,
    ) -> None:
        self._transport = AsyncTransport(client, type(self).__name__, retry_pauses)
        self._codecs = SnapshotCodecs[C, M, D].of(config, model, dataset)
