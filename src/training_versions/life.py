"""What `VersionRepository` does with a version after drafting it.

Derived from `async_life.py` by `scripts/derive_sync.py`: change that file instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Generic, Literal

from training_versions._shell import Repository
from training_versions.diff import VersionDiff
from training_versions.models import (
    C,
    Cents,
    CopiedDraft,
    CostEntry,
    D,
    Deployment,
    Event,
    Id,
    JsonLike,
    Lineage,
    M,
    MetricPoint,
    PackageCost,
    Page,
    RecordedCost,
    Target,
    TrainingRun,
    VersionSummary,
)
from training_versions.operations._life_calls import LifeCalls


class VersionLife(Repository, Generic[C, M, D]):
    """The part of `VersionRepository` that compares, copies, trains, deploys, charges and remembers versions."""

    _calls: LifeCalls[C, M, D]

    def compare(self, left: Id | VersionSummary, right: Id | VersionSummary) -> VersionDiff:
        """Tell what differs between two versions as they are stored, of the same package or not.

        The types of the repository play no part, so what they ignore or add is told, and versions that no longer fit
        them are compared as well. A version that is read is the same on both sides: its diff with itself is empty.

        Args:
            left: The one to start from: its identifier, or the version itself, which is not read again if its
                snapshots are plain JSON; those of a type do not have all that is stored.
            right: The one to compare it with.

        Raises:
            InvalidInputError: One of them is neither a version nor an identifier.
            NotFoundError: There is no such version, or the caller may not see it.

        Example:
            >>> diff = versions.compare(first.id, draft)
            >>> print(diff.filter("/config_snapshot"))
        """
        return self._read(self._calls.compare(left, right))

    def restore(
        self,
        version_id: Id,
        *,
        name: str | None = None,
        change_summary: str | None = None,
        new_version_id: Id | None = None,
    ) -> CopiedDraft:
        """Make a new draft with the content of an old version, which becomes its parent; history is untouched.

        The content is copied inside the database, also what does not fit the repository's types any more: `misfits`
        says what that is.

        Args:
            version_id: The version to bring back, whatever its status.
            name: 1 to 255 characters; by default made of the package's name, the number and the date.
            change_summary: At most 10,000 characters; by default says which version was restored.
            new_version_id: The draft's identifier, if you make it; the same one again returns the draft it made.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: The identifier is that of another version, or of a draft that was deleted.
            OutcomeUnknownError: The reply was lost; with your own `new_version_id`, calling again is safe.

        Example:
            >>> draft = (versions.restore(version.id)).draft
        """
        return self._call(
            self._calls.restore(
                version_id, name=name, change_summary=change_summary, new_version_id=new_version_id
            )
        )

    def fork(
        self,
        version_id: Id,
        *,
        into: Id,
        name: str | None = None,
        change_summary: str | None = None,
        new_version_id: Id | None = None,
    ) -> CopiedDraft:
        """Make a new draft in another package with the content of a version, which becomes its parent.

        Args:
            version_id: The version to start from, whatever its status.
            into: The package of the caller's that the draft goes into.
            name: As in `restore`, like all that follow.
            change_summary: By default says which version was forked.
            new_version_id: The draft's identifier, if you make it.

        Raises:
            NotFoundError: There is no such version or package, or the caller may not see it.
            ConflictError: The identifier is that of another version, or of a draft that was deleted.
            OutcomeUnknownError: The reply was lost; with your own `new_version_id`, calling again is safe.

        Example:
            >>> copied = versions.fork(version.id, into=other_package.id)
            >>> for misfit in copied.misfits: ...
        """
        return self._call(
            self._calls.fork(
                version_id,
                into=into,
                name=name,
                change_summary=change_summary,
                new_version_id=new_version_id,
            )
        )

    def lineage(self, version_id: Id) -> Lineage:
        """Read where a version comes from and what came of it, however far, across packages.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.

        Example:
            >>> print(versions.lineage(version.id))
              support-bot-v1 (archived)
                sales-bot-v1 (published)
            * support-bot-v2 (published)
              support-bot-v3-draft-20250131 (draft)
        """
        return self._call(self._calls.lineage(version_id))

    def start_training(self, version_id: Id, *, run_id: Id | None = None) -> TrainingRun:
        """Start a run of training a draft or a published version; of several workers, exactly one does.

        A version that failed or was cancelled may start again; one that is completed may not.

        Args:
            version_id: The version to train; not an archived one.
            run_id: The run's identifier, if you make it; the same one again returns the run it started.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It is being trained already, its training is completed, or it is archived.
            OutcomeUnknownError: The reply was lost; with your own `run_id`, calling again is safe.

        Example:
            >>> run = versions.start_training(version.id)
        """
        return self._call(self._calls.start_training(version_id, run_id=run_id))

    def record_metrics(
        self,
        version_id: Id,
        metrics: JsonLike,
        *,
        step: int | None = None,
        run_id: Id | None = None,
    ) -> VersionSummary:
        """Record metrics of a version beside those it has; one that it has gets the new value.

        Args:
            version_id: The version.
            metrics: Values by name, numbers of NumPy and PyTorch included. NaN and infinity, which JSON cannot hold,
                are refused.
            step: With it, numbers are points of the curves of the run, too; a step has its last value.
            run_id: Only while this run is running; a worker should say so, and learns here that it was cancelled. The
                latest run if left out.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.
            ConflictError: That run is over, or there is a step, but training has not started.
            OutcomeUnknownError: The reply was lost; calling again is safe, unless a newer value was recorded since.

        Example:
            >>> versions.record_metrics(version.id, {"loss": 0.41, "accuracy": 0.87}, step=100, run_id=run.id)
        """
        return self._call(self._calls.record_metrics(version_id, metrics, step=step, run_id=run_id))

    def complete_training(self, version_id: Id, *, run_id: Id | None = None) -> TrainingRun:
        """End running training well, for good.

        Args:
            version_id: The version that is being trained.
            run_id: Only if this run is the one that is running; a worker should say so.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.
            ConflictError: It is not being trained, or that run is over.
            OutcomeUnknownError: The reply was lost; with `run_id`, calling again is safe.

        Example:
            >>> versions.complete_training(version.id, run_id=run.id)
        """
        return self._call(self._calls.complete_training(version_id, run_id=run_id))

    def fail_training(
        self, version_id: Id, reason: str, *, run_id: Id | None = None
    ) -> TrainingRun:
        """End running training as failed; it may start again.

        Args:
            version_id: The version that is being trained.
            reason: What went wrong, at most 10,000 characters.
            run_id: Only if this run is the one that is running; a worker should say so.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.
            ConflictError: It is not being trained, or that run is over.
            OutcomeUnknownError: The reply was lost; with `run_id`, calling again is safe.

        Example:
            >>> versions.fail_training(version.id, "out of memory at step 1,200", run_id=run.id)
        """
        return self._call(self._calls.fail_training(version_id, reason, run_id=run_id))

    def cancel_training(
        self, version_id: Id, *, reason: str | None = None, run_id: Id | None = None
    ) -> TrainingRun:
        """End running training as cancelled; it may start again.

        Args:
            version_id: The version that is being trained.
            reason: Why, at most 10,000 characters.
            run_id: Only if this run is the one that is running; a worker should say so.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.
            ConflictError: It is not being trained, or that run is over.
            OutcomeUnknownError: The reply was lost; with `run_id`, calling again is safe.

        Example:
            >>> versions.cancel_training(version.id, reason="wrong data set")
        """
        return self._call(self._calls.cancel_training(version_id, reason=reason, run_id=run_id))

    def metric_history(
        self, version_id: Id, name: str, *, run_id: Id | None = None
    ) -> list[MetricPoint]:
        """Read the curve of a metric, in the order of steps, however long.

        Args:
            version_id: The version.
            name: The metric; one that was never recorded has no points.
            run_id: The run; the latest if left out.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.

        Example:
            >>> losses = [point.value for point in versions.metric_history(version.id, "loss")]
        """
        return self._call(self._calls.metric_history(version_id, name, run_id=run_id))

    def deploy(
        self,
        version_id: Id,
        target: Target,
        *,
        url: str | None = None,
        deployment_id: str | None = None,
        stay_id: Id | None = None,
    ) -> VersionSummary:
        """Make a published version the one of its package that is live at a target; the one before it ends there.

        Args:
            version_id: The version.
            target: `"local"` or `"hf_space"`.
            url: Where it answers, at most 2,000 characters.
            deployment_id: What the target calls it, at most 255 characters.
            stay_id: The identifier of its stay there, if you make it; the same one again changes nothing, whatever was
                deployed since.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It is not published.
            OutcomeUnknownError: The reply was lost; with your own `stay_id`, calling again is safe.

        Example:
            >>> versions.deploy(version.id, "hf_space", url="https://ada-support-bot.hf.space")
        """
        return self._call(
            self._calls.deploy(
                version_id, target, url=url, deployment_id=deployment_id, stay_id=stay_id
            )
        )

    def undeploy(self, version_id: Id, *, target: Target | None = None) -> VersionSummary:
        """End the stay of a version at a target, or at all; one that is not live there stays as it is.

        Args:
            version_id: The version.
            target: `"local"` or `"hf_space"`; both if left out.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            OutcomeUnknownError: The reply was lost; calling again is safe, unless it was deployed there since.

        Example:
            >>> versions.undeploy(version.id)
        """
        return self._call(self._calls.undeploy(version_id, target=target))

    def live(self, package_id: Id, target: Target) -> Deployment | None:
        """Read which version of a package is live at a target, or `None` if none is.

        Example:
            >>> deployment = versions.live(package.id, "hf_space")
        """
        return self._read(self._calls.live(package_id, target))

    def live_at(self, package_id: Id, target: Target, moment: datetime) -> Deployment | None:
        """Read which version of a package was live at a target at a moment, or `None` if none was.

        Example:
            >>> deployment = versions.live_at(package.id, "hf_space", datetime(2025, 1, 31, 12, tzinfo=UTC))
        """
        return self._read(self._calls.live_at(package_id, target, moment))

    def record_cost(
        self,
        version_id: Id,
        amount: Cents,
        *,
        note: str | None = None,
        key: str | None = None,
        alert_at: Sequence[int] = (50, 80, 100),
        entry_id: Id | None = None,
    ) -> RecordedCost:
        """Add to what training a version cost; `actual_cost` is the sum of all entries.

        When the sum reaches a share of the version's budget, exactly one call has that share in its `alerts`, however
        many record at once. Where the budget is raised later, a share that the sum has to reach again is told again.

        Args:
            version_id: The version.
            amount: 0 to 99,999,999.99, at most two decimals.
            note: What it was for, at most 1,000 characters.
            key: What makes it count once, at most 255 characters, whoever brings it: the same one again returns the
                entry it made, without its alerts, which were told.
            alert_at: The shares of the budget to tell of, in percent.
            entry_id: The entry's identifier, if you make it; the same one again returns the same, alerts included.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: The key is that of an entry with another amount.
            RejectedError: The sum would be more than 99,999,999.99.
            OutcomeUnknownError: The reply was lost; with your own `entry_id`, calling again is safe.

        Example:
            >>> entry = versions.record_cost(version.id, "1.20", note="2 h on an A10", key=f"{run.id}/2")
            >>> if 100 in entry.alerts: ...
        """
        return self._call(
            self._calls.record_cost(
                version_id, amount, note=note, key=key, alert_at=alert_at, entry_id=entry_id
            )
        )

    def package_cost(self, package_id: Id) -> PackageCost:
        """Add up what the versions of a package cost, should cost and may cost.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.

        Example:
            >>> cost = versions.package_cost(package.id)
            >>> left = cost.budget_limit - cost.actual_cost
        """
        return self._call(self._calls.package_cost(package_id))

    def iterate_costs(self, version_id: Id, *, page_size: int = 200) -> Iterator[CostEntry]:
        """Walk over the entries of cost, the oldest first.

        What a client writes to `actual_cost` itself is an entry of the difference, which may be negative.

        Args:
            version_id: The version.
            page_size: How many to ask for at once.

        Example:
            >>> for entry in versions.iterate_costs(version.id): ...
        """
        return self._walk(self._calls.iterate_costs(version_id, page_size=page_size))

    def history(
        self,
        *,
        package_id: Id | None = None,
        version_id: Id | None = None,
        kind: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        order: Literal["newest", "oldest"] = "newest",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Event]:
        """Read one page of what happened: who, when, what. Nobody can change it.

        Edits of a draft by the same user within a minute are one event. Pages are in the order of time; an event whose
        transaction ends after a page was read takes its place in time, which may be before that page's end.

        Args:
            package_id: Of this package, its deleted drafts included.
            version_id: Of this version; with neither, of everything that is the caller's.
            kind: One `EventKind`, or several.
            since: At this moment or later; edits that are one event by the last of them.
            until: Before this moment; edits that are one event by the first of them.
            order: Which come first.
            limit: How many to return at most; a server may cap it, and the page is shorter then.
            cursor: The `next_cursor` of the page before.

        Example:
            >>> page = versions.history(package_id=package.id, kind=["published", "deployed"])
        """
        return self._read(
            self._calls.history(
                package_id=package_id,
                version_id=version_id,
                kind=kind,
                since=since,
                until=until,
                order=order,
                limit=limit,
                cursor=cursor,
            )
        )

    def iterate_history(
        self,
        *,
        package_id: Id | None = None,
        version_id: Id | None = None,
        kind: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        order: Literal["newest", "oldest"] = "newest",
        page_size: int = 200,
    ) -> Iterator[Event]:
        """Walk over all that happened, page by page.

        Args:
            package_id: As in `history`, like all that follow.
            version_id: Of this version.
            kind: One `EventKind`, or several.
            since: At this moment or later.
            until: Before this moment.
            order: Which come first.
            page_size: How many to ask for at once.

        Example:
            >>> for event in versions.iterate_history(version_id=version.id): ...
        """
        return self._walk(
            self._calls.iterate_history(
                package_id=package_id,
                version_id=version_id,
                kind=kind,
                since=since,
                until=until,
                order=order,
                page_size=page_size,
            )
        )
