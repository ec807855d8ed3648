"""Entity tags (RFC 9110, section 8.8): optimistic concurrency over HTTP.

The ETag of a version is its `updated_at`, which changes with everything that a reply shows. An
`If-Match` header becomes the `expected_updated_at` of the SDK, which fails only if the content was
edited since. Training, deployments and costs change the ETag, but an `If-Match` with the older one
still succeeds.
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
"""The most states that an `If-Match` may name. Each is tried with a separate request."""
MATCHES_NO_DRAFT: Final = datetime(1, 1, 1, tzinfo=UTC)
"""The `expected_updated_at` for an `If-Match` without a tag of ours. No draft has this value, so
the database refuses the write. If the draft does not exist, its refusal says so."""
_EDITED_SINCE: Final = "TV201"
_MATCH: Final = "If-Match"
_NONE_MATCH: Final = "If-None-Match"
_READING: Final = ("GET", "HEAD", "OPTIONS")
_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_EMPTY: Final = re.compile(r"[ \t]*,?[ \t]*")


def tag_of_version(version: VersionSummary) -> str:
    """Return the ETag of a version."""
    moment = version.updated_at.astimezone(UTC)
    return f'"{moment.isoformat(timespec="microseconds")}"'


def tag_of_package(package: Package) -> str:
    """Return the ETag of a package: a hash of its content, as it has no `updated_at`."""
    digest = hashlib.sha256(package.model_dump_json().encode()).hexdigest()
    return f'"{digest[:32]}"'


@dataclass(frozen=True)
class _EntityTag:
    value: str
    """The text between the quotes."""
    is_weak: bool


def _parse_tags(header: str, name: str) -> list[_EntityTag]:
    """Parse a list of entity tags, which may be empty.

    Raises:
        Problem: The header is malformed.
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
    """Raise a problem if a write has `If-None-Match`, which would otherwise be ignored.

    On a write, the header means "only if the resource does not exist yet". No endpoint creates a
    resource at a path that the client chooses.

    Raises:
        Problem: The request is a write with `If-None-Match`.
    """
    if request.method in _READING or _NONE_MATCH not in request.headers:
        return
    raise bad_header(_NONE_MATCH, f"{_NONE_MATCH} is for reading; a write takes If-Match.")


async def if_none_match(request: Request) -> list[str] | None:
    """Return the tags of `If-None-Match`, for weak comparison; `["*"]` matches any tag."""
    header = joined(request, _NONE_MATCH)
    if header is None:
        return None
    if header == "*":
        return ["*"]
    return [tag.value for tag in _parse_tags(header, _NONE_MATCH)]


IfNoneMatch = Annotated[list[str] | None, Depends(if_none_match)]


def is_current(tag: str, known: list[str] | None) -> bool:
    """Return whether the tag is among those of the client, or the client sent `*`."""
    return known is not None and (known == ["*"] or tag.strip('"') in known)


def read_if_match(request: Request) -> list[str] | None:
    """Return the tags of `If-Match`; `None` if it is missing or `*`, which accept any state.

    Weak tags are left out, because they never match (RFC 9110, section 13.1.1).
    """
    header = joined(request, _MATCH)
    if header is None or header == "*":
        return None
    return [tag.value for tag in _parse_tags(header, _MATCH) if not tag.is_weak]


class Expected:
    """The states of a draft that `If-Match` accepts for a write."""

    def __init__(self, moments: list[datetime] | None) -> None:
        self.moments = moments
        """The `updated_at` of each state, newest first; `None` accepts any state."""

    async def try_each(self, write: Callable[[datetime | None], Awaitable[T]]) -> T:
        """Try the write with each state, newest first, until one is the current state.

        Raises:
            ConflictError: No state is current. The error is that of the newest state.
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
    """Return the states that `If-Match` accepts; every state if the header is missing."""
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
    """Return the states that `If-Match` accepts; raise a problem if the header is missing."""
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
    """Parse the ETag of a version; return `None` for any other tag."""
    try:
        moment = datetime.fromisoformat(tag)
    except ValueError:
        return None
    # Tags are compared as text: only the exact format of `tag_of_version` is one of our tags.
    if moment.tzinfo is None or moment.astimezone(UTC).isoformat(timespec="microseconds") != tag:
        return None
    return moment
