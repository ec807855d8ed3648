"""The page of a version, the pages of parts of its content, and downloads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import quote

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from training_versions import (
    AsyncVersionRepository,
    InvalidInputError,
    JsonValue,
    NotFoundError,
    Page,
    TrainingRun,
)
from training_versions.web.page import caller_of, page
from training_versions.web.pages.descent import read_descent
from training_versions.web.pages.offers import offers_for
from training_versions.web.pages.reading import (
    VERSION_ROUTE,
    Address,
    AnyVersion,
    Found,
    find_before,
    read_or_problem,
    read_package,
)
from training_versions.web.render import render
from training_versions.web.views.curves import Curve
from training_versions.web.views.differences import CONTENT, Part
from training_versions.web.views.events import describe_event
from training_versions.web.views.json_text import find_value, pretty_json, steps_of, visible
from training_versions.web.views.json_tree import Node, json_tree

_EVENTS: Final = 10
_RUNS: Final = 50
_STAYS: Final = 10
_COSTS: Final = 50
# Longer JSON is not repeated in the page, only offered as a download.
_INLINE_JSON: Final = 50_000
_METRICS: Final = "/training_metrics"
_ANY: Final = TypeAdapter[Any](Any)
_TITLES: Final = {column: part.title for part in CONTENT for column in part.columns}


@dataclass(frozen=True)
class Snapshot:
    """One of the three snapshots of a version."""

    part: Part
    tree: Node
    size: int
    """The number of characters as JSON."""
    json: str | None
    """The JSON text, if it is short enough for the page."""


@dataclass(frozen=True)
class Training:
    """The training runs of a version, and one curve of one run."""

    runs: Page[TrainingRun]
    run_id: str | None
    """The run whose curve is shown, by default the newest."""
    metrics: list[str]
    """The metrics of this run that have a curve."""
    curve: Curve | None
    missing_metric: str | None
    """The requested metric, if this run has no curve of it."""


@page
async def show_version(request: Request) -> Response:
    """Show a version: its content, training, costs, deployments, descent and history."""
    caller, address = caller_of(request), Address.of(request)
    versions = caller.versions
    package, found = await asyncio.gather(
        read_package(caller, address.package_id),
        read_or_problem(versions.get_by_number(address.package_id, address.number)),
    )
    version = found.value
    if version is None:
        return _show_unreadable(request, address, package, found)

    offers, sections = await asyncio.gather(
        offers_for(versions, version), _read_sections(versions, version, request.query_params)
    )
    return render(
        request,
        "version.html",
        address=address,
        package=package,
        version=version,
        snapshots=[_snapshot(version, part) for part in CONTENT],
        offers=offers,
        metrics=json_tree(version.training_metrics, _METRICS),
        describe_event=describe_event,
        **sections,
    )


async def _read_sections(
    versions: AsyncVersionRepository, version: AnyVersion, query: Mapping[str, str]
) -> dict[str, Any]:
    """Read the other sections of the page. An unreadable section does not affect the others."""
    version_id = str(version.id)
    reads: dict[str, Awaitable[Any]] = {
        "before": find_before(versions, version),
        "events": versions.history(
            version_id=version_id, limit=_EVENTS, cursor=query.get("events")
        ),
        "training": _read_training(versions, version_id, query),
        "costs": versions.costs(
            version_id, order="newest", limit=_COSTS, cursor=query.get("costs")
        ),
        "stays": versions.deployments(
            version_id=version_id, limit=_STAYS, cursor=query.get("stays")
        ),
        "descent": read_descent(versions, version),
    }
    found = await asyncio.gather(*map(read_or_problem, reads.values()))
    return dict(zip(reads, found, strict=True))


def _show_unreadable(
    request: Request, address: Address, package: object, found: Found[AnyVersion]
) -> Response:
    stored = None
    reply = cast("JsonValue", found.reply)
    if isinstance(reply, list) and len(reply) == 1:
        # Show the row itself, not a list with one row.
        reply = reply[0]
    if reply is not None:
        stored = json_tree(reply)
    return render(
        request,
        "version_unreadable.html",
        address=address,
        package=package,
        problem=found.problem,
        stored=stored,
    )


def _snapshot(version: AnyVersion, part: Part) -> Snapshot:
    (column,) = part.columns
    value: JsonValue = getattr(version, column)
    return Snapshot(part, json_tree(value, f"/{column}"), *_size_and_text(value))


def _size_and_text(value: JsonValue) -> tuple[int, str | None]:
    # Measure it on one line first, which takes a tenth of the time.
    size = len(json.dumps(value, ensure_ascii=False))
    if size > _INLINE_JSON:
        return size, None
    return size, pretty_json(value)


async def _read_training(
    versions: AsyncVersionRepository, version_id: str, query: Mapping[str, str]
) -> Training:
    runs = await versions.runs(version_id, limit=_RUNS, cursor=query.get("runs"))
    run_id = query.get("run")
    if run_id is None and runs:
        run_id = str(runs[0].id)
    if run_id is None:
        return Training(runs, None, [], None, None)
    metrics = await versions.metric_names(version_id, run_id=run_id)
    metric, missing = query.get("metric"), None
    if metric is not None and metric not in metrics:
        metric, missing = None, metric
    if metric is None and metrics:
        metric = metrics[0]
    curve = None
    if metric is not None:
        points = await versions.metric_history(version_id, metric, run_id=run_id)
        curve = Curve(metric, points)
    return Training(runs, run_id, metrics, curve, missing)


@page
async def show_content(request: Request) -> Response:
    """Show a part of the content that is too large or too deep for the page of its version."""
    caller, address = caller_of(request), Address.of(request)
    package, version = await asyncio.gather(
        read_package(caller, address.package_id),
        caller.versions.get_by_number(address.package_id, address.number),
    )
    pointer = request.query_params.get("at", "")
    value = _value_at(version, pointer)
    first = _read_position(request.query_params.get("from", "0"))
    size, text = _size_and_text(value)
    *crumbs, (here, _) = _crumbs(pointer)
    return render(
        request,
        "content.html",
        address=address,
        package=package,
        version=version,
        pointer=pointer,
        trail=[(step, f"{address.version}/content?at={quote(at)}") for step, at in crumbs],
        here=here,
        tree_root=json_tree(value, pointer, first=first),
        size=size,
        json=text,
    )


@page
async def download_content(request: Request) -> Response:
    """Return content as a JSON file, to download or copy."""
    caller, address = caller_of(request), Address.of(request)
    version = await caller.versions.get_by_number(address.package_id, address.number)
    value = _value_at(version, request.query_params.get("at", ""))
    headers = {"Content-Disposition": _attachment(f"{version.name}.json")}
    # Pydantic indents a megabyte in milliseconds, the standard library in a third of a second.
    return Response(_ANY.dump_json(value, indent=2), media_type="application/json", headers=headers)


def _value_at(version: AnyVersion, pointer: str) -> JsonValue:
    """Return the value at a JSON Pointer in the snapshots or the metrics of a version.

    Raises:
        NotFoundError: There is no value at the pointer.
    """
    columns = [column for part in CONTENT for column in part.columns]
    if pointer.startswith(_METRICS):
        columns.append("training_metrics")
    content: JsonValue = {column: getattr(version, column) for column in columns}
    try:
        return find_value(content, pointer)
    except LookupError:
        problem = f"There is nothing at {pointer!r:.200} in version {version.version_number}."
        raise NotFoundError(problem) from None


def _crumbs(pointer: str) -> list[tuple[str, str]]:
    """Return the steps of a pointer, each with the pointer to it."""
    raw = pointer.split("/")
    crumbs = [("Content", "")]
    for count, step in enumerate(steps_of(pointer), start=1):
        name = _TITLES.get(step, step) if count == 1 else step
        crumbs.append((visible(name) or '""', "/".join(raw[: count + 1])))
    return crumbs


def _read_position(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInputError(f"from must be a position, not {text!r:.80}.", field="from")
    return int(text)


def _attachment(name: str) -> str:
    """Return a `Content-Disposition` header value for a download (RFC 6266)."""
    cleaned = "".join(character for character in name if character.isprintable())
    encoded = quote(cleaned.replace("/", "-"), safe="")
    return f"attachment; filename*=UTF-8''{encoded}"


@page
async def curve_points(request: Request) -> Response:
    """Return the points of a curve as JSON."""
    query, versions = request.query_params, caller_of(request).versions
    version_id = str(request.path_params["version_id"])
    metric = query.get("metric", "")
    points = await versions.metric_history(version_id, metric, run_id=query.get("run"))
    return JSONResponse(Curve(metric, points).to_json())


routes = [
    Route(VERSION_ROUTE, show_version, methods=["GET"]),
    Route(f"{VERSION_ROUTE}/content", show_content, methods=["GET"]),
    Route(f"{VERSION_ROUTE}/content.json", download_content, methods=["GET"]),
    Route("/curves/{version_id:uuid}", curve_points, methods=["GET"]),
]
