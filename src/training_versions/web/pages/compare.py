"""The comparison of two versions of a package, by default with the older one on the left."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from training_versions import (
    AsyncVersionRepository,
    Deployment,
    DeploymentTarget,
    InvalidInputError,
    NotFoundError,
    UnreadableReplyError,
    VersionDiff,
    VersionSummary,
)
from training_versions.web.page import caller_of, page
from training_versions.web.pages.reading import (
    AnyVersion,
    find_before,
    read_or_problem,
    read_package,
)
from training_versions.web.render import render
from training_versions.web.views.comparison import Asked, make_comparison
from training_versions.web.views.differences import PARTS, SNAPSHOTS, Row
from training_versions.web.views.targets import target_name

_CHOICES: Final = 100


@dataclass(frozen=True)
class Ends:
    """The two versions to compare, each `None` if it is not found."""

    left: AnyVersion | None
    right: AnyVersion | None
    problem: str | None = None
    """The reason why they cannot be compared."""
    are_turned: bool = False
    """Whether the sides are swapped compared with the query."""


LiveAt: TypeAlias = dict[DeploymentTarget, Deployment | None]


@page
async def show_comparison(request: Request) -> Response:
    """Show the differences between two versions, or all values side by side."""
    caller, asked = caller_of(request), Asked.of(request.query_params)
    package_id = str(request.path_params["package_id"])
    versions = caller.versions
    package, choices, live = await asyncio.gather(
        read_package(caller, package_id),
        read_or_problem(versions.list(package_id, limit=_CHOICES)),
        read_live(versions, package_id),
    )
    ends = await _find_ends(versions, package_id, asked, live)
    names = (asked.right, asked.left) if ends.are_turned else (asked.left, asked.right)
    listed = [] if choices.value is None else list(choices.value)
    has_all = choices.value is not None and choices.value.next_cursor is None
    values: dict[str, Any] = {
        "package": package,
        "package_path": f"/packages/{package_id}",
        "asked": asked,
        "ends": ends,
        "choices": _with_ends(listed, ends),
        "has_all_choices": has_all,
        "live": [(target, target_name(target), stay) for target, stay in live.items() if stay],
        "parts": PARTS,
        "chosen_left": _name_of(names[0], ends.left),
        "chosen_right": _name_of(names[1], ends.right),
    }
    if ends.left is None or ends.right is None:
        return render(request, "compare.html", comparison=None, **values)
    diff = await versions.compare(ends.left, ends.right)
    left, right = ends.left.version_number, ends.right.version_number

    def link_to(row: Row) -> str:
        # Links name the numbers, as another version may be live when the link is followed.
        return asked.query(left=left, right=right, at=row.label)

    return render(
        request,
        "compare.html",
        comparison=make_comparison(asked, diff, ends.right),
        link_to=link_to,
        can_restore=_can_restore(diff, ends, listed),
        patch_query=asked.query(left=left, right=right, show="changes", key=""),
        **values,
    )


def _can_restore(
    diff: VersionDiff, ends: Ends, newest_first: list[VersionSummary]
) -> AnyVersion | None:
    """Return the version that is compared with the latest one, if restoring it has an effect."""
    if not newest_first or not diff.filter(*SNAPSHOTS):
        return None
    latest = newest_first[0].id
    for end, other in ((ends.left, ends.right), (ends.right, ends.left)):
        if end is not None and other is not None and other.id == latest:
            return end
    return None


def _name_of(asked_for: str, end: AnyVersion | None) -> str:
    """Return the choice that the form shows. `live:<target>` is kept, others become a number."""
    if end is None or asked_for.startswith("live:"):
        return asked_for
    return str(end.version_number)


async def read_live(versions: AsyncVersionRepository, package_id: str) -> LiveAt:
    """Read the live deployment of each target."""
    live: LiveAt = dict.fromkeys(DeploymentTarget)
    for stay in await versions.deployments(package_id=package_id, live=True):
        live[stay.target] = stay
    return live


async def _find_ends(
    versions: AsyncVersionRepository, package_id: str, asked: Asked, live: LiveAt
) -> Ends:
    """Read the two versions, or return the reason why they cannot be compared."""
    try:
        return await _read_ends(versions, package_id, asked, live)
    except UnreadableReplyError as exc:
        return Ends(None, None, exc.message)


async def _read_ends(
    versions: AsyncVersionRepository, package_id: str, asked: Asked, live: LiveAt
) -> Ends:
    """Read the two versions, with the older one on the left unless the query swaps them."""
    reading = _Reading(versions, package_id, live)
    right = await reading.find(asked.right or "latest", "right")
    if right is None:
        return Ends(None, None, reading.problem)
    left = None
    if asked.left:
        left = await reading.find(asked.left, "left")
    else:
        before = await find_before(versions, right)
        reading.problem = f"v{right.version_number} is the first version: nothing is before it."
        if before is not None:
            left = await reading.find(str(before), "left")
    if left is None:
        return Ends(None, right, reading.problem)
    left_is_older = left.version_number <= right.version_number
    if left_is_older == asked.is_swapped:
        return Ends(right, left, are_turned=True)
    return Ends(left, right)


@dataclass
class _Reading:
    """Reads versions by the names that the query uses for them."""

    versions: AsyncVersionRepository
    package_id: str
    live: LiveAt
    problem: str | None = None

    async def find(self, name: str, field: str) -> AnyVersion | None:
        """Return a version by its number, `latest`, `published` or `live:<target>`.

        If there is none, return `None` and set `problem` to the reason.

        Raises:
            InvalidInputError: The name is invalid.
            NotFoundError: The package has no version with this number.
        """
        if name == "latest":
            self.problem = "This package has no version yet."
            return await self.versions.latest(self.package_id)
        if name == "published":
            self.problem = "No version of this package is published."
            return await self.versions.latest_published(self.package_id)
        kind, _, target = name.partition(":")
        if kind == "live":
            return await self._find_live(target, field)
        # A number may be written as v3.
        number = name.removeprefix("v")
        if not number.isascii() or not number.isdigit() or len(number) > 9:
            raise InvalidInputError(
                f"{field} must be the number of a version, latest, published or live:<target>, "
                f"not {name!r:.80}.",
                field=field,
            )
        return await self.versions.get_by_number(self.package_id, int(number))

    async def _find_live(self, name: str, field: str) -> AnyVersion | None:
        try:
            target = DeploymentTarget(name)
        except ValueError:
            known = " or ".join(f"live:{each}" for each in DeploymentTarget)
            problem = f"{field} must be {known}, not live:{name!r:.80}."
            raise InvalidInputError(problem, field=field) from None
        stay = self.live[target]
        if stay is None:
            self.problem = f"Nothing is live at {target_name(target)}."
            return None
        return await self.versions.get(stay.version_id)


def _with_ends(choices: list[VersionSummary], ends: Ends) -> list[VersionSummary]:
    """Add the compared versions to the choices, which hold only the newest versions."""
    known = {choice.id for choice in choices}
    shown = [end for end in (ends.left, ends.right) if end is not None and end.id not in known]
    return sorted([*choices, *shown], key=lambda each: each.version_number, reverse=True)


@page
async def download_patch(request: Request) -> Response:
    """Return the differences as a JSON Patch that turns the left version into the right one."""
    caller, asked = caller_of(request), Asked.of(request.query_params)
    package_id = str(request.path_params["package_id"])
    live = await read_live(caller.versions, package_id)
    ends = await _find_ends(caller.versions, package_id, asked, live)
    if ends.left is None or ends.right is None:
        raise NotFoundError(ends.problem or "There is nothing to compare.")
    diff = await caller.versions.compare(ends.left, ends.right)
    prefixes = [prefix for part in asked.parts for prefix in part.prefixes]
    patch = diff.filter(*prefixes).to_json_patch()
    name = f"v{ends.left.version_number}-v{ends.right.version_number}.patch.json"
    return Response(
        json.dumps(patch, ensure_ascii=False, indent=2),
        media_type="application/json-patch+json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


_COMPARE: Final = "/packages/{package_id:uuid}/compare"
routes = [
    Route(_COMPARE, show_comparison, methods=["GET"]),
    Route(f"{_COMPARE}/patch", download_patch, methods=["GET"]),
]
