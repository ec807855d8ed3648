"""Entity tags (RFC 9110, section 8.8): the edit token of a draft, as HTTP carries it.

The tag of a version is its `updated_at`, which moves with everything that its representation shows.
As `If-Match` it becomes the `expected_updated_at` of the SDK, for which a tag is good as long as
the content was not edited since; training, deployment and cost do not spend it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request

from training_versions import ConflictError, Package, VersionSummary
from training_versions.rest.headers import bad_header, joined
from training_versions.rest.problems import IF_MATCH_REQUIRED, Problem

T = TypeVar("T")

MOST_TAGS: Final = 8
"""How many states an `If-Match` may name; each is tried by a request of its own."""
MATCHES_NO_DRAFT: Final = datetime(1, 1, 1, tzinfo=UTC)
"""Is sent for an `If-Match` that has no tag of ours. No draft has this `updated_at`, so the write
is refused, and by the database: if the draft is not even there, that is the reason it names."""
_EDITED_SINCE: Final = "TV201"
_MATCH: Final = "If-Match"
_NONE_MATCH: Final = "If-None-Match"
_READING: Final = ("GET", "HEAD", "OPTIONS")
_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_EMPTY: Final = re.compile(r"[ \t]*,?[ \t]*")


def tag_of_version(version: VersionSummary) -> str:
    """Return the entity tag of a version."""
    moment = version.updated_at.astimezone(UTC)
    return f'"{moment.isoformat(timespec="microseconds")}"'


def tag_of_package(package: Package) -> str:
    """Return the entity tag of a package, which has no moment of its own."""
    digest = hashlib.sha256(package.model_dump_json().encode()).hexdigest()
    return f'"{digest[:32]}"'


@dataclass(frozen=True)
class _EntityTag:
    value: str
    """What stands between the quotes."""
    is_weak: bool


def _parse_tags(header: str, name: str) -> list[_EntityTag]:
    """Read a list of entity tags, which may be empty.

    Raises:
        Problem: The header is no such list.
    """
    tags: list[_EntityTag] = []
    position, expects_tag = 0, True
    while position < len(header):
        blank = _EMPTY.match(header, position)
        if blank is not None and blank.end() > position:
            expects_tag = expects_tag or "," in blank.group()
            position = blank.end()
            continue
        found = _TAG.match(header, position) if expects_tag else None
        if found is None:
            break
        tags.append(_EntityTag(found.group(2), is_weak=found.group(1) is not None))
        position, expects_tag = found.end(), False
    if position < len(header):
        detail = f'{name} is a list of entity tags in double quotes, as ETag has them, or "*".'
        raise bad_header(name, detail)
    return tags


def refuse_if_none_match(request: Request) -> None:
    """Refuse `If-None-Match` on a write, which would otherwise be ignored.

    It asks to write only if there is nothing at the address. No endpoint creates anything at an
    address that the client chose.

    Raises:
        Problem: The request writes, and has the header.
    """
    if request.method in _READING or _NONE_MATCH not in request.headers:
        return
    raise bad_header(_NONE_MATCH, f"{_NONE_MATCH} is for reading; a write takes If-Match.")


async def if_none_match(request: Request) -> list[str] | None:
    """Read `If-None-Match`, whose tags are compared weakly; `["*"]` stands for any."""
    header = joined(request, _NONE_MATCH)
    if header is None:
        return None
    if header == "*":
        return ["*"]
    return [tag.value for tag in _parse_tags(header, _NONE_MATCH)]


IfNoneMatch = Annotated[list[str] | None, Depends(if_none_match)]


def is_current(tag: str, known: list[str] | None) -> bool:
    """Return whether the client has what the tag stands for."""
    return known is not None and (known == ["*"] or tag.strip('"') in known)


def read_if_match(request: Request) -> list[str] | None:
    """Read the tags of `If-Match`; `None` if any state of the resource will do.

    A weak tag never matches (RFC 9110, section 13.1.1), so it is left out.
    """
    header = joined(request, _MATCH)
    if header is None or header == "*":
        return None
    return [tag.value for tag in _parse_tags(header, _MATCH) if not tag.is_weak]


class Expected:
    """The states of a draft for which a write is meant."""

    def __init__(self, moments: list[datetime] | None) -> None:
        self.moments = moments
        """The `updated_at` of each, the newest first; `None` for any state."""

    async def try_each(self, write: Callable[[datetime | None], Awaitable[T]]) -> T:
        """Write for the first of the states that is still the current one.

        Raises:
            ConflictError: None of them is; this is the refusal of the newest.
        """
        if self.moments is None:
            return await write(None)
        refusals: list[ConflictError] = []
        for moment in self.moments or [MATCHES_NO_DRAFT]:
            try:
                return await write(moment)
            except ConflictError as exc:
                if exc.code != _EDITED_SINCE:
                    raise
                refusals.append(exc)
        raise refusals[0]


async def if_match(request: Request) -> Expected:
    """Read the states of a draft that `If-Match` names."""
    tags = read_if_match(request)
    if tags is None:
        return Expected(None)
    moments = {moment for moment in map(_moment, tags) if moment is not None}
    if len(moments) > MOST_TAGS:
        detail = f"If-Match names {len(moments)} states, and {MOST_TAGS} are the most."
        raise bad_header(_MATCH, detail)
    return Expected(sorted(moments, reverse=True))


async def required_if_match(
    request: Request, expected: Annotated[Expected, Depends(if_match)]
) -> Expected:
    """Read `If-Match`, which must be there."""
    if joined(request, _MATCH) is None:
        raise Problem(
            IF_MATCH_REQUIRED,
            "An edit names the state of the draft that it is meant for.",
            hint="Send the ETag of the draft as If-Match, or If-Match: * to overwrite any state.",
        )
    return expected


IfMatch = Annotated[Expected, Depends(if_match)]
RequiredIfMatch = Annotated[Expected, Depends(required_if_match)]


def _moment(tag: str) -> datetime | None:
    """Return the moment that a tag stands for; `None` if it is none of ours."""
    try:
        moment = datetime.fromisoformat(tag)
    except ValueError:
        return None
    # Only what `tag_of_version` writes: the same moment in other words is another tag.
    if moment.tzinfo is None or moment.astimezone(UTC).isoformat(timespec="microseconds") != tag:
        return None
    return moment
