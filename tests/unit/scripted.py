"""Operations without a network: what a public method asks for, and what it makes of the replies.

The repositories here have a transport that hands the operation back instead of running it, so every
test goes through the public signature with its defaults.
"""

from typing import Any
from uuid import UUID

import postgrest
import pytest
from pydantic import BaseModel

from tests import data
from training_versions import PackageRepository, VersionRepository
from training_versions.operations.requests import Operation, Reply, Select

PACKAGE = UUID(data.PACKAGE)
VERSION = UUID(int=7)
OTHER = UUID(int=8)


class _HandsBack:
    """A transport that hands back what it is asked to run."""

    def run(self, operation: object) -> object:
        return operation

    def walk(self, listing: object) -> object:
        return listing


def _unsent(repository: Any) -> Any:
    repository._transport = _HandsBack()
    return repository


def versions(**types: Any) -> Any:
    """Return a `VersionRepository` whose methods return their operations."""
    client = postgrest.SyncPostgrestClient("http://nowhere.test")
    return _unsent(VersionRepository(client, **types))


def packages() -> Any:
    """Return a `PackageRepository` whose methods return their operations."""
    return _unsent(PackageRepository(postgrest.SyncPostgrestClient("http://nowhere.test")))


VERSIONS = versions()
PACKAGES = packages()


def request_of(operation: Operation[Any]) -> Any:
    """Return the first request of an operation."""
    return next(operation)


def params_of(operation: Operation[Any]) -> dict[str, Any]:
    """Return the arguments that a function is called with; those left out are not among them."""
    params = request_of(operation).params
    return {name: value for name, value in params.items() if value is not None}


def where_of(operation: Operation[Any]) -> tuple[Any, ...]:
    """Return the conditions of a select, each as a tuple."""
    return conditions_of(request_of(operation))


def conditions_of(select: Select) -> tuple[Any, ...]:
    return tuple(tuple(vars(condition).values()) for condition in select.where)


def exchange(operation: Operation[Any], reply: object) -> tuple[Any, Any]:
    """Return the only request of an operation, and what it makes of the reply."""
    request = next(operation)
    with pytest.raises(StopIteration) as finished:
        operation.send(Reply(reply))
    return request, finished.value.value


def result_of(operation: Operation[Any], *replies: object) -> Any:
    """Run an operation with these replies, all of which it must ask for."""
    next(operation)
    for reply in replies[:-1]:
        operation.send(Reply(reply))
    with pytest.raises(StopIteration) as finished:
        operation.send(Reply(replies[-1]))
    return finished.value.value


def row(number: int, **columns: Any) -> dict[str, Any]:
    """Make a row of versions that differs from others in its config, and has costs."""
    own = {"config_snapshot": {"r": number}, "estimated_cost": 0.1, "budget_limit": 99999999.99}
    return data.version_row(number, **own | {"a_column_of_a_newer_release": 1} | columns)


class Rank(BaseModel):
    """A config type."""

    r: int
    extra: int = 5
