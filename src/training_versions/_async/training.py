"""Training: start and end training runs, record metrics, and read their curves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

from training_versions._async.transport import AsyncTransport
from training_versions.models import (
    Id,
    JsonLike,
    MetricPoint,
    Page,
    RecordedMetrics,
    TrainingRun,
)
from training_versions.operations import training


class AsyncTraining:
    """The operations on training runs and metrics; a part of `AsyncVersionRepository`."""

    _transport: AsyncTransport

    async def start_training(self, version_id: Id, *, run_id: Id | None = None) -> TrainingRun:
        """Start a training run of a draft or published version.

        Of several workers that start at once, exactly one succeeds. A version whose training failed
        or was cancelled may be trained again; one whose training is completed may not. The metrics
        of the version are empty when a run starts; each run keeps its curves.

        Args:
            version_id: The version to train; not an archived one.
            run_id: The identifier of the run, if you choose it; starting again with the same one
                returns the existing run.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It is being trained, its training is completed, or it is archived.
            OutcomeUnknownError: The reply was lost; with your own `run_id`, calling again is safe.

        Example:
            >>> run = await versions.start_training(version.id)
        """
        return await self._transport.run(training.start_training(version_id, run_id=run_id))

    async def record_metrics(
        self,
        version_id: Id,
        metrics: JsonLike,
        *,
        step: int | None = None,
        run_id: Id | None = None,
    ) -> RecordedMetrics:
        """Merge metrics into those of a version; a metric that it has gets the new value.

        A metric that is NaN or infinite, which JSON cannot hold, does not keep the others from
        being stored: the result names it in `missing_metrics`. Alone it is refused.

        Args:
            version_id: The version.
            metrics: Values by name, including numbers of NumPy and PyTorch.
            step: With a step, numbers also become points on the curves of the run. Recording a step
                again replaces its value.
            run_id: Record only while this run is running. A worker should pass it: then it learns
                here that its run was cancelled. The latest run if left out.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.
            ConflictError: That run has ended, or a step is given and training has not started.
            OutcomeUnknownError: The reply was lost; calling again is safe, unless a newer value was
                recorded since.

        Example:
            >>> await versions.record_metrics(
            ...     version.id, {"loss": 0.41, "accuracy": 0.87}, step=100, run_id=run.id
            ... )
        """
        return await self._transport.run(
            training.record_metrics(version_id, metrics, step=step, run_id=run_id)
        )

    async def complete_training(self, version_id: Id, *, run_id: Id | None = None) -> TrainingRun:
        """End the running training run as completed, which is final.

        Args:
            version_id: The version that is being trained.
            run_id: Only if this run is the one that is running; a worker should pass it.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.
            ConflictError: It is not being trained, or that run has ended.
            OutcomeUnknownError: The reply was lost; with `run_id`, calling again is safe.

        Example:
            >>> await versions.complete_training(version.id, run_id=run.id)
        """
        return await self._transport.run(training.complete_training(version_id, run_id=run_id))

    async def fail_training(
        self, version_id: Id, reason: str, *, run_id: Id | None = None
    ) -> TrainingRun:
        """End the running training run as failed; the version may be trained again.

        Args:
            version_id: The version that is being trained.
            reason: What went wrong, at most 10,000 characters.
            run_id: Only if this run is the one that is running; a worker should pass it.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.
            ConflictError: It is not being trained, or that run has ended.
            OutcomeUnknownError: The reply was lost; with `run_id`, calling again is safe.

        Example:
            >>> await versions.fail_training(
            ...     version.id, "out of memory at step 1,200", run_id=run.id
            ... )
        """
        return await self._transport.run(training.fail_training(version_id, reason, run_id=run_id))

    async def cancel_training(
        self, version_id: Id, *, reason: str | None = None, run_id: Id | None = None
    ) -> TrainingRun:
        """End the running training run as cancelled; the version may be trained again.

        Training that a client marked as pending is cancelled, too, as a run that never went on.

        Args:
            version_id: The version that is being trained.
            reason: Why, at most 10,000 characters.
            run_id: Only if this run is the one that is running; a worker should pass it.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.
            ConflictError: It is not being trained, or that run has ended.
            OutcomeUnknownError: The reply was lost; with `run_id`, calling again is safe.

        Example:
            >>> await versions.cancel_training(version.id, reason="wrong data set")
        """
        return await self._transport.run(
            training.cancel_training(version_id, reason=reason, run_id=run_id)
        )

    async def runs(
        self,
        version_id: Id,
        *,
        order: Literal["newest", "oldest"] = "newest",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[TrainingRun]:
        """Read one page of the training runs of a version; empty if it was never trained.

        Args:
            version_id: The version.
            order: Which come first.
            limit: The most to return; a server may cap it, and the page is shorter then.
            cursor: The `next_cursor` of the page before.

        Example:
            >>> for run in await versions.runs(version.id): ...
        """
        return await self._transport.run(
            training.runs(version_id, order=order, limit=limit, cursor=cursor)
        )

    def iterate_runs(
        self,
        version_id: Id,
        *,
        order: Literal["newest", "oldest"] = "newest",
        page_size: int = 200,
    ) -> AsyncIterator[TrainingRun]:
        """Iterate over all training runs of a version, page by page.

        Args:
            version_id: The version.
            order: Which come first.
            page_size: How many to ask for at once.

        Example:
            >>> async for run in versions.iterate_runs(version.id): ...
        """
        return self._transport.walk(
            training.iterate_runs(version_id, order=order, page_size=page_size)
        )

    async def metric_names(self, version_id: Id, *, run_id: Id | None = None) -> list[str]:
        """Read the names of the metrics that have a curve, for `metric_history`.

        What was recorded without a step has no curve; it is in `training_metrics` of the version.

        Args:
            version_id: The version.
            run_id: The run; the latest if left out.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.

        Example:
            >>> for name in await versions.metric_names(version.id): ...
        """
        return await self._transport.run(training.metric_names(version_id, run_id=run_id))

    async def metric_history(
        self, version_id: Id, name: str, *, run_id: Id | None = None
    ) -> list[MetricPoint]:
        """Read the curve of a metric, in the order of steps, however long it is.

        Args:
            version_id: The version.
            name: The metric; one that was never recorded has no points.
            run_id: The run; the latest if left out.

        Raises:
            NotFoundError: There is no such version or run, or the caller may not see it.

        Example:
            >>> points = await versions.metric_history(version.id, "loss")
            >>> losses = [point.value for point in points]
        """
        return await self._transport.run(training.metric_history(version_id, name, run_id=run_id))
