"""What the operations of a version's later life send, and how their replies are read; see `_calls.py`.

`LifeCalls` has a method for each method of `AsyncVersionLife`, with the same name.
"""

from __future__ import annotations

import json
import operator
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from training_versions.diff import VersionDiff, compare_versions
from training_versions.errors import InvalidInputError
from training_versions.models import (
    C,
    Cents,
    CopiedDraft,
    CostEntry,
    D,
    Deployment,
    DeploymentTarget,
    Event,
    EventKind,
    Id,
    JsonLike,
    Lineage,
    LineageNode,
    M,
    MetricPoint,
    PackageCost,
    Page,
    RecordedCost,
    Target,
    TrainingRun,
    Version,
    VersionSummary,
)
from training_versions.operations._calls import (
    SUMMARY,
    VERSIONS,
    WHOLE,
    Done,
    Filter,
    Listing,
    Rows,
    Rpc,
    Select,
    VersionCalls,
    Walk,
    again_with,
    as_cost,
    as_moment,
    as_size,
    as_text,
    as_uuid,
    first_of,
    is_newest_first,
    is_several,
    not_found,
    of_package,
    one_of,
    optional,
    or_new,
    row_of,
    summary_of,
)
from training_versions.snapshots.codec import Codec

T = TypeVar("T")

DEPLOYMENTS: Final = "training_deployments"
COSTS: Final = "training_costs"
EVENTS: Final = "training_version_events"
METRICS: Codec[object] = Codec("metrics", "metrics")
MOST_SHARE: Final = 1000  # percent of the budget
MOST_VALUE: Final = 1.7e308  # of a metric at a step, which is kept in double precision


class LifeCalls(VersionCalls[C, M, D]):
    """The operations of `VersionRepository`: those of `VersionCalls`, and all that comes after."""

    def compare(
        self, left: Id | VersionSummary, right: Id | VersionSummary
    ) -> Select[VersionDiff] | Done[VersionDiff]:
        loaded, ids = dict[str, Version[Any, Any, Any]](), list[str]()
        for argument, given in (("left", left), ("right", right)):
            ids.append(as_uuid(given.id if isinstance(given, VersionSummary) else given, argument))
            if isinstance(given, Version) and _is_plain(cast("Version[Any, Any, Any]", given)):
                loaded[f"{argument} {ids[-1]}"] = cast("Version[Any, Any, Any]", given)

        def side(argument: str, version_id: str) -> Version[Any, Any, Any] | None:
            return loaded.get(f"{argument} {version_id}") or loaded.get(version_id)

        def step() -> Select[VersionDiff] | Done[VersionDiff]:
            before, after = side("left", ids[0]), side("right", ids[1])
            if before is not None and after is not None:
                return Done(compare_versions(before, after))
            missing = [
                key for key, found in zip(ids, (before, after), strict=True) if found is None
            ]
            wanted = (("id", "in", f"({','.join(dict.fromkeys(missing))})"),)
            return Select(
                "versions.compare",
                VERSIONS,
                WHOLE,
                wanted,
                lambda rows, _: read(rows, missing),
                limit=2,
            )

        def read(rows: Rows, missing: list[str]) -> Select[VersionDiff] | Done[VersionDiff]:
            if not rows:
                raise not_found("versions.compare", f"version {missing[0]}")
            # Not through the codecs: a type drops what it does not know, and adds its defaults.
            found = [
                cast("Version[Any, Any, Any]", Version.model_validate(row_of(row))) for row in rows
            ]
            loaded.update((str(version.id), version) for version in found)
            return (
                step()
            )  # which asks again for one that did not come: a server may cap replies at one row

        return step()

    def restore(self, version_id: Id, **given: str | Id | None) -> Rpc[CopiedDraft]:
        params = {"p_version_id": as_uuid(version_id, "version_id")}
        return self._copy("versions.restore", "restore_training_version", params, **given)

    def fork(self, version_id: Id, *, into: Id, **given: str | Id | None) -> Rpc[CopiedDraft]:
        params = {
            "p_version_id": as_uuid(version_id, "version_id"),
            "p_into_package_id": as_uuid(into, "into"),
        }
        return self._copy("versions.fork", "fork_training_version", params, **given)

    def _copy(
        self,
        operation: str,
        function: str,
        params: dict[str, Any],
        /,
        *,
        new_version_id: Id | None,
        **given: object,
    ) -> Rpc[CopiedDraft]:
        params |= optional(new_version_id=or_new(new_version_id), **given)
        typed = [codec for codec in (self.config, self.model, self.dataset) if codec.is_typed]

        def read(reply: object) -> CopiedDraft:
            row = row_of(reply)
            misfits = [misfit for codec in typed for misfit in codec.misfits(row[codec.column])]
            return CopiedDraft(draft=summary_of(row), misfits=tuple(misfits))

        again = again_with(new_version_id=params["p_new_version_id"])
        return Rpc(
            operation,
            function,
            params,
            read,
            again,
            SUMMARY + tuple(codec.column for codec in typed),
        )

    def lineage(self, version_id: Id) -> Rpc[Lineage]:
        asked = as_uuid(version_id, "version_id")

        def read(reply: object) -> Lineage:
            nodes = LineageNode.link(_array(reply))
            version = nodes.get(uuid.UUID(asked))
            if version is None:
                raise ValueError("the version is not in it")
            line = {version.id: version}
            node = version
            while (
                node.parent_version_id is not None
                and (above := nodes.get(node.parent_version_id)) is not None
            ):
                if above.id in line:  # rows from before the rules
                    raise ValueError("its ancestors make a circle")
                node = line[above.id] = above
            descendants = {below.id for below in version.walk()} - {version.id}
            return Lineage(
                version=version,
                ancestors=tuple(line.values())[1:],
                descendants=tuple(node for node in nodes.values() if node.id in descendants),
                root=list(line.values())[-1],
            )

        return Rpc(
            "versions.lineage", "get_version_lineage", {"p_version_id": asked}, read, write=False
        )

    def start_training(self, version_id: Id, *, run_id: Id | None) -> Rpc[TrainingRun]:
        params = _of_version(version_id, run_id=or_new(run_id))
        again = again_with(run_id=params["p_run_id"])
        return Rpc(
            "versions.start_training",
            "start_version_training",
            params,
            TrainingRun.model_validate,
            again,
        )

    def record_metrics(
        self, version_id: Id, metrics: JsonLike, *, step: int | None, run_id: Id | None
    ) -> Rpc[VersionSummary]:
        params = _of_version(version_id, run_id=run_id) | {"p_metrics": _metrics(metrics, step)}
        params |= {} if step is None else {"p_step": _step(step)}
        return Rpc(
            "versions.record_metrics", "record_version_metrics", params, summary_of, columns=SUMMARY
        )

    def complete_training(self, version_id: Id, *, run_id: Id | None) -> Rpc[TrainingRun]:
        return _end("complete", _of_version(version_id, run_id=run_id))

    def fail_training(self, version_id: Id, reason: str, *, run_id: Id | None) -> Rpc[TrainingRun]:
        return _end(
            "fail", _of_version(version_id, run_id=run_id) | {"p_reason": as_text(reason, "reason")}
        )

    def cancel_training(
        self, version_id: Id, *, reason: str | None, run_id: Id | None
    ) -> Rpc[TrainingRun]:
        return _end("cancel", _of_version(version_id, reason=reason, run_id=run_id))

    def metric_history(
        self, version_id: Id, name: str, *, run_id: Id | None
    ) -> Rpc[list[MetricPoint]]:
        params = _of_version(version_id, run_id=run_id) | {"p_name": as_text(name, "name")}

        def read(reply: object) -> list[MetricPoint]:
            return [MetricPoint.model_validate(point) for point in _array(reply)]

        return Rpc("versions.metric_history", "get_metric_history", params, read, write=False)

    def deploy(
        self, version_id: Id, target: Target, *, stay_id: Id | None, **given: str | None
    ) -> Rpc[VersionSummary]:
        params = _of_version(version_id, stay_id=or_new(stay_id), **given) | {
            "p_target": _target(target)
        }
        again = again_with(stay_id=params["p_stay_id"])
        return Rpc("versions.deploy", "deploy_training_version", params, summary_of, again, SUMMARY)

    def undeploy(self, version_id: Id, *, target: Target | None) -> Rpc[VersionSummary]:
        params = _of_version(version_id, call_id=uuid.uuid4()) | (
            {} if target is None else {"p_target": _target(target)}
        )
        return Rpc(
            "versions.undeploy", "undeploy_training_version", params, summary_of, columns=SUMMARY
        )

    def live(self, package_id: Id, target: Target) -> Select[Deployment | None]:
        return _stay("versions.live", package_id, target, ("ended_at", "is", "null"))

    def live_at(
        self, package_id: Id, target: Target, moment: datetime
    ) -> Select[Deployment | None]:
        at = as_moment(moment, "moment")
        not_ended = ("or", "", f'ended_at.is.null,ended_at.gt."{at}"')
        return _stay("versions.live_at", package_id, target, ("started_at", "lte", at), not_ended)

    def record_cost(
        self,
        version_id: Id,
        amount: Cents,
        *,
        alert_at: Sequence[int],
        entry_id: Id | None,
        **given: object,
    ) -> Rpc[RecordedCost]:
        params = _of_version(version_id, entry_id=or_new(entry_id), **given)
        params |= {"p_amount": as_cost(amount, "amount"), "p_alert_at": _shares(alert_at)}
        again = again_with(entry_id=params["p_entry_id"])
        return Rpc(
            "versions.record_cost",
            "record_training_cost",
            params,
            RecordedCost.model_validate,
            again,
        )

    def package_cost(self, package_id: Id) -> Rpc[PackageCost]:
        params = {"p_package_id": as_uuid(package_id, "package_id")}
        return Rpc(
            "versions.package_cost",
            "get_package_cost",
            params,
            PackageCost.model_validate,
            write=False,
        )

    def iterate_costs(self, version_id: Id, *, page_size: int) -> Select[Walk[CostEntry]]:
        columns, key = tuple(CostEntry.model_fields), ("recorded_at", "id")
        found, limit = (
            (("version_id", "eq", as_uuid(version_id, "version_id")),),
            as_size(page_size, "page_size"),
        )
        return Listing(
            "versions.iterate_costs",
            COSTS,
            columns,
            found,
            key,
            False,
            limit,
            CostEntry.model_validate,
        ).walk()

    def history(self, *, limit: int, cursor: str | None, **given: Any) -> Select[Page[Event]]:
        return _events("versions.history", as_size(limit, "limit"), **given).page(cursor)

    def iterate_history(self, *, page_size: int, **given: Any) -> Select[Walk[Event]]:
        return _events("versions.iterate_history", as_size(page_size, "page_size"), **given).walk()


def _events(
    operation: str,
    limit: int,
    *,
    package_id: Id | None,
    version_id: Id | None,
    kind: str | Sequence[str] | None,
    since: datetime | None,
    until: datetime | None,
    order: str,
) -> Listing[Event]:
    if package_id is not None and version_id is not None:
        raise InvalidInputError(
            "Name package_id or version_id, not both: a version is of one package.",
            field="version_id",
        )
    found: list[Filter] = [] if package_id is None else [of_package(package_id)]
    found += [] if version_id is None else [("version_id", "eq", as_uuid(version_id, "version_id"))]
    found += one_of(kind, "kind", EventKind)
    if (
        since is not None
        and until is not None
        and as_moment(since, "since") > as_moment(until, "until")
    ):
        raise InvalidInputError(
            "since must not be after until: nothing happens in between.", field="since"
        )
    if since is not None:  # edits that are one event are found by the last of them, too
        moment = as_moment(since, "since")
        found.append(("or", "", f'occurred_at.gte."{moment}",last_at.gte."{moment}"'))
    found += [] if until is None else [("occurred_at", "lt", as_moment(until, "until"))]
    columns, newest_first = tuple(Event.model_fields), is_newest_first(order)
    return Listing(
        operation,
        EVENTS,
        columns,
        tuple(found),
        ("occurred_at", "id"),
        newest_first,
        limit,
        Event.model_validate,
    )


def _end(verb: str, params: dict[str, Any]) -> Rpc[TrainingRun]:
    params |= optional(
        call_id=uuid.uuid4()
    )  # so that a repeat does not end a run that began in between
    return Rpc(
        f"versions.{verb}_training", f"{verb}_version_training", params, TrainingRun.model_validate
    )


def _stay(
    operation: str, package_id: Id, target: Target, *when: Filter
) -> Select[Deployment | None]:
    found = (of_package(package_id), ("target", "eq", _target(target)), *when)
    read = first_of(
        operation, DEPLOYMENTS, tuple(Deployment.model_fields), found, Deployment.model_validate
    )
    return replace(read, order=("started_at",), descending=True)


def _of_version(version_id: Id, **given: object) -> dict[str, Any]:
    return {"p_version_id": as_uuid(version_id, "version_id")} | optional(**given)


def _target(value: object) -> str:
    if not isinstance(value, str) or value not in list(DeploymentTarget):
        known = ", ".join(DeploymentTarget)
        raise InvalidInputError(
            f"target must be one of {known}, not {value!r:.80}.", field="target"
        )
    return str(value)


def _metrics(value: object, step: object) -> object:
    if isinstance(
        value, Mapping
    ):  # numbers of NumPy and PyTorch tell what they are as plain Python
        members = cast("Mapping[object, object]", value).items()
        value = {name: _plain(name, each) for name, each in members}
    plain = cast("dict[str, object]", METRICS.write(value))
    if not plain:
        raise InvalidInputError("metrics is empty: name at least one.", field="metrics")
    for name, each in plain.items():
        if not name.strip() or len(name) > 255:
            why = "must have 1 to 255 characters that are not all blank"
            raise InvalidInputError(
                f"The name of a metric {why}, not {name!r:.80}.", field="metrics"
            )
        if step is not None and isinstance(each, int) and abs(each) > MOST_VALUE:
            raise InvalidInputError(
                f"metrics.{name:.80} is larger than a curve can hold.", field="metrics"
            )
    return plain


def _plain(name: object, value: object) -> object:
    item = getattr(value, "item", None)
    try:
        return cast("Callable[[], object]", item)() if callable(item) else value
    except (
        ValueError,
        TypeError,
        RuntimeError,
    ) as exc:  # what NumPy and PyTorch raise for more than one number
        raise InvalidInputError(
            f"metrics.{name!s:.80} is not one number: {exc!s:.200}.", field="metrics"
        ) from exc


def _step(value: object) -> int:
    try:
        step = None if isinstance(value, bool) else operator.index(cast("int", value))
    except TypeError:
        step = None
    if step is None or not -(2**63) <= step < 2**63:
        raise InvalidInputError(
            f"step must be an integer of 64 bits, not {value!r:.80}.", field="step"
        )
    return step


def _shares(value: object) -> list[int]:
    shares = list(cast("Sequence[object]", value)) if is_several(value) else [None]
    whole = [share for share in shares if isinstance(share, int) and not isinstance(share, bool)]
    if len(whole) < len(shares) or not all(1 <= share <= MOST_SHARE for share in whole):
        words = f"integers of 1 to {MOST_SHARE:,}, in percent of the budget"
        raise InvalidInputError(f"alert_at must be {words}, not {value!r:.80}.", field="alert_at")
    return whole


def _is_plain(version: Version[Any, Any, Any]) -> bool:
    """Tell whether snapshots are plain JSON, so that no type can have dropped or added anything."""
    snapshots = version.config_snapshot, version.model_snapshot, version.dataset_snapshot
    try:
        json.dumps(snapshots)
    except (TypeError, ValueError):
        return False
    return all(isinstance(each, dict | list) for each in snapshots)


def _array(reply: object) -> list[Any]:
    if not isinstance(reply, list):
        raise ValueError("it is not an array")
    return cast("list[Any]", reply)
