"""The query of a list: filters, order and cursor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from training_versions import InvalidInputError, TrainingStatus, VersionFilters, VersionStatus

STATUSES: Final = [str(status) for status in VersionStatus]
TRAINING_STATUSES: Final = [str(status) for status in TrainingStatus]
_DEPLOYED: Final = {"": None, "yes": True, "no": False}

Order = Literal["newest", "oldest"]


@dataclass(frozen=True)
class Listing:
    """The filters, the order and the cursor of a page."""

    text: str = ""
    statuses: tuple[str, ...] = ()
    training: str = ""
    deployed: str = ""
    order: Order = "newest"
    cursor: str = ""

    @classmethod
    def from_query(cls, query: QueryParams) -> Listing:
        """Parse a query.

        Raises:
            InvalidInputError: `deployed` or `order` is invalid. The SDK checks the other values.
        """
        deployed = query.get("deployed", "")
        if deployed not in _DEPLOYED:
            raise InvalidInputError(
                f"deployed must be yes or no, not {deployed!r:.80}.", field="deployed"
            )
        return cls(
            text=query.get("text", ""),
            statuses=tuple(status for status in query.getlist("status") if status),
            training=query.get("training", ""),
            deployed=deployed,
            order=read_order(query.get("order", "")),
            cursor=query.get("cursor", ""),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return replace(self, order="newest", cursor="") != Listing()

    @property
    def filters(self) -> VersionFilters:
        """The filters as arguments of the SDK."""
        filters = VersionFilters(deployed=_DEPLOYED[self.deployed])
        if self.text:
            filters["text"] = self.text
        if self.statuses:
            filters["status"] = self.statuses
        if self.training:
            filters["training_status"] = self.training
        return filters

    @property
    def query(self) -> list[tuple[str, str]]:
        """The filters as a query, which all pages of the list have in common."""
        named = [("text", self.text)]
        named += [("status", status) for status in self.statuses]
        named += [("training", self.training), ("deployed", self.deployed)]
        return named


@dataclass(frozen=True)
class PageLinks:
    """The addresses of the first and the next page of a list; `None` if there is none."""

    first: str | None
    next: str | None

    @classmethod
    def of(
        cls,
        path: str,
        query: list[tuple[str, str]],
        *,
        order: Order,
        cursor: str,
        next_cursor: str | None,
    ) -> PageLinks:
        """Make the links, without the empty values of the query."""
        if order != "newest":
            query = [*query, ("order", order)]
        first = next_page = None
        if cursor:
            first = _address(path, query)
        if next_cursor:
            next_page = _address(path, [*query, ("cursor", next_cursor)])
        return cls(first, next_page)


def _address(path: str, query: list[tuple[str, str]]) -> str:
    text = urlencode([(name, value) for name, value in query if value])
    return f"{path}?{text}" if text else path


def read_order(value: str) -> Order:
    """Parse the order of a list, by default newest first.

    Raises:
        InvalidInputError: The order is invalid.
    """
    if value in ("", "newest"):
        return "newest"
    if value == "oldest":
        return "oldest"
    raise InvalidInputError(f"order must be newest or oldest, not {value!r:.80}.", field="order")
