"""The repositories, put together from the topics in `_sync/`.

Derived from `async_repository.py` by `scripts/derive_sync.py`: change that file instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Self, cast

from training_versions._sync.copies import Copies
from training_versions._sync.costs import Costs
from training_versions._sync.deployments import Deployments
from training_versions._sync.drafts import Drafts
from training_versions._sync.history import History
from training_versions._sync.packages import Packages
from training_versions._sync.reading import Reading
from training_versions._sync.training import Training
from training_versions._sync.transport import (
    Client,
    HttpClient,
    Transport,
    client_for_token,
)
from training_versions.models import C, D, M
from training_versions.models.base import C1, D1, M1
from training_versions.operations.packages import config_codec
from training_versions.operations.retries import DEFAULT_PAUSES
from training_versions.operations.rows import SnapshotCodecs


class PackageRepository(Packages):
    """Training packages: create, read, change and delete what versions are versions of.

    Every write is one transaction, and takes effect once even if the SDK sends it twice. To create
    something again after an error, pass your own identifier. Every operation may raise any
    `TrainingVersionsError`; what it lists itself is particular to it.

    Args:
        client: A `supabase.Client` that has signed in; a bare `postgrest` client works as
            well. Do not swap its token while others use it: see `for_token`.
        retry_pauses: Seconds to wait before each repeat of a call whose reply was lost or that
            a busy database did not carry out, shortened by up to half at random; `()` switches
            repeats off. Reads are repeated at most twice. The postgrest client's own repeats are
            not used.
        allow_secrets: Store text that looks like a secret, too; see the README.

    Example:
        >>> packages = PackageRepository(client)
    """

    __module__ = "training_versions"

    def __init__(
        self,
        client: Client,
        *,
        retry_pauses: Sequence[float] = DEFAULT_PAUSES,
        allow_secrets: bool = False,
    ) -> None:
        self._transport = Transport(client, type(self).__name__, retry_pauses)
        self._config = config_codec(allow_secrets=allow_secrets)

    @classmethod
    def for_token(
        cls,
        url: str,
        key: str,
        token: str,
        *,
        http_client: HttpClient,
        retry_pauses: Sequence[float] = DEFAULT_PAUSES,
        allow_secrets: bool = False,
    ) -> Self:
        """Make a repository that acts as the holder of one access token, for good.

        Made for a server that acts for its callers: it costs next to nothing, so every request
        gets its own, and all of them share the connections of one HTTP client. A token that is
        swapped in a client that requests share would let one caller write as another.

        Args:
            url: The project's URL.
            key: Its publishable (or anon) key.
            token: The caller's access token, without `Bearer`.
            http_client: What holds the connections; close it when the server ends.
            retry_pauses: As for the class.
            allow_secrets: As for the class.

        Raises:
            InvalidInputError: One of them is missing or not what it should be.

        Example:
            >>> packages = PackageRepository.for_token(url, key, token, http_client=http)
            >>> packages.list()
        """
        client = client_for_token(url, key, token, http_client)
        return cls(client, retry_pauses=retry_pauses, allow_secrets=allow_secrets)


class VersionRepository(
    Drafts[C, M, D],
    Reading[C, M, D],
    Copies[C, M, D],
    Training,
    Deployments,
    Costs,
    History,
    Generic[C, M, D],
):
    """The versions of training packages: draft, publish, archive, read, and all that comes after.

    Without types, snapshots are plain JSON. With them, snapshots are read and written by Pydantic,
    and versions are `Version[C, M, D]`.

    Every write is one transaction, and takes effect once even if the SDK sends it twice. To create
    something again after an error, pass your own identifier. Every operation may raise any
    `TrainingVersionsError`; what it lists itself is particular to it.

    Args:
        client: A `supabase.Client` that has signed in; a bare `postgrest` client works as
            well. Do not swap its token while others use it: see `for_token`.
        config: The type of the fine-tuning config.
        model: The type of the base model.
        dataset: The type of the data sets, such as `list[DatasetRef]`.
        retry_pauses: Seconds to wait before each repeat of a call whose reply was lost or that
            a busy database did not carry out, shortened by up to half at random; `()` switches
            repeats off. Reads are repeated at most twice. The postgrest client's own repeats are
            not used.
        allow_secrets: Store text that looks like a secret, too; see the README.

    Raises:
        UnreadableReplyError: From every operation that returns versions, when a stored snapshot
            does not fit its type. A write was carried out all the same. `list` without snapshots,
            `compare` and `restore` still work, and so does a repository without types.

    Example:
        >>> versions = VersionRepository(client, config=LoraConfig, dataset=list[DatasetRef])
    """

    __module__ = "training_versions"

    def __init__(
        self,
        client: Client,
        *,
        config: type[C] | None = None,
        model: type[M] | None = None,
        dataset: type[D] | None = None,
        retry_pauses: Sequence[float] = DEFAULT_PAUSES,
        allow_secrets: bool = False,
    ) -> None:
        self._transport = Transport(client, type(self).__name__, retry_pauses)
        self._codecs = SnapshotCodecs[C, M, D].of(
            config, model, dataset, allow_secrets=allow_secrets
        )

    @classmethod
    def for_token(
        cls,
        url: str,
        key: str,
        token: str,
        *,
        http_client: HttpClient,
        config: type[C1] | None = None,
        model: type[M1] | None = None,
        dataset: type[D1] | None = None,
        retry_pauses: Sequence[float] = DEFAULT_PAUSES,
        allow_secrets: bool = False,
    ) -> VersionRepository[C1, M1, D1]:
        """Make a repository that acts as the holder of one access token, for good.

        Made for a server that acts for its callers: it costs next to nothing, so every request
        gets its own, and all of them share the connections of one HTTP client. A token that is
        swapped in a client that requests share would let one caller write as another.

        Args:
            url: The project's URL.
            key: Its publishable (or anon) key.
            token: The caller's access token, without `Bearer`.
            http_client: What holds the connections; close it when the server ends.
            config: As for the class, like the following arguments.
            model: The type of the base model.
            dataset: The type of the data sets.
            retry_pauses: Seconds to wait before each repeat.
            allow_secrets: Store text that looks like a secret, too.

        Raises:
            InvalidInputError: One of them is missing or not what it should be.

        Example:
            >>> versions = VersionRepository.for_token(url, key, token, http_client=http)
            >>> versions.list()
        """
        client = client_for_token(url, key, token, http_client)
        kind = cast("type[VersionRepository[C1, M1, D1]]", cls)
        return kind(
            client,
            config=config,
            model=model,
            dataset=dataset,
            retry_pauses=retry_pauses,
            allow_secrets=allow_secrets,
        )
