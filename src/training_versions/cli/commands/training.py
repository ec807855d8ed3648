"""Training: start and end runs, record metrics, and look at curves."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal, TypeAlias
from uuid import UUID

import click
from pydantic import BaseModel

from training_versions import MetricPoint, TrainingRun
from training_versions.cli import metrics
from training_versions.cli.command import Topic, pass_session
from training_versions.cli.context import Session
from training_versions.cli.exits import USAGE, not_found, usage
from training_versions.cli.foreground import ending_on_sigterm
from training_versions.cli.lookup import FoundVersion, find_version
from training_versions.cli.output import Cell, Column
from training_versions.cli.plot import draw_curves

Status: TypeAlias = Literal["completed", "failed", "cancelled"]
_RUN_HELP = "The run; the latest if left out."

train = Topic("train", help="Record training: start, log, end, curve.")


class Logged(BaseModel):
    """What `train log --json` prints."""

    version_id: UUID
    records: int
    """How many were recorded."""
    last_step: int | None
    missing_metrics: list[str]
    """Metrics with NaN or infinity, which are not stored."""
    refused_lines: list[int]
    """Lines of stdin that hold no metrics."""


class Curve(BaseModel):
    """A curve, as `train curve --json` prints it."""

    metric: str
    points: list[MetricPoint]


@train.part("start", result=TrainingRun, example="training-versions train start support-bot@3")
@click.argument("version", metavar="VERSION")
@click.option(
    "--run",
    type=click.UUID,
    metavar="ID",
    help="An id of your own: starting again with it returns the same run.",
)
@pass_session
def start(session: Session, version: str, run: UUID | None) -> None:
    """Start a training run of a draft or published version.

    Of several that start at once, exactly one succeeds. Pass the id that -q prints to `train log`
    and `train end`: then they fail once the run was cancelled.
    """
    found = find_version(session, version)
    started = session.versions.start_training(found.version.id, run_id=run)
    _show_run(session, found, started)


@train.part(
    "log",
    result=Logged,
    example=(
        "training-versions train log support-bot@3 loss=0.41 accuracy=0.87 --step 100",
        "training-versions train log support-bot@3 '{\"loss\": 0.41}' --step 100",
        "python train.py | training-versions train log support-bot@3 -",
    ),
)
@click.argument("version", metavar="VERSION")
@click.argument("metric", nargs=-1, metavar="NAME=VALUE…|JSON|-")
@click.option("--step", type=click.IntRange(0), metavar="N", help="Makes points of curves of them.")
@click.option("--run", type=click.UUID, metavar="ID", help=_RUN_HELP)
@pass_session
def log(
    session: Session, version: str, metric: tuple[str, ...], step: int | None, run: UUID | None
) -> int:
    """Record metrics, given as arguments or as lines of JSON on stdin.

    With `-`, each line of stdin is an object such as {"step": 100, "loss": 0.41}. It is recorded
    when it comes; while the project cannot be reached, it waits for up to ten minutes. A line that
    has no metrics is reported and left out, and the command then ends with status 2.
    """
    reads_stdin = metric == ("-",) or not metric
    if reads_stdin and step is not None:
        raise usage("--step goes with metrics that are arguments", hint='Write {"step": 1, …}.')
    if not metric and sys.stdin.isatty():
        raise usage("no metrics are given", hint="Name some, as in loss=0.41, or - for stdin.")
    given = None
    if not reads_stdin:
        given = metrics.from_arguments(metric, step)
    found = find_version(session, version)
    logger = metrics.MetricLogger(session, found.version.id, run)
    if given is not None:
        logger.record(given)
    else:
        with ending_on_sigterm():
            logger.record_lines(sys.stdin.buffer)

    logged = Logged(
        version_id=found.version.id,
        records=logger.records,
        last_step=logger.last_step,
        missing_metrics=sorted(logger.missing),
        refused_lines=logger.refused_lines,
    )
    facts: list[tuple[str, Cell]] = [
        ("version", found.written),
        ("records", logger.records),
        ("last step", logger.last_step),
    ]
    output = session.output
    output.show(logged, ids=[found.version.id], text=lambda: output.fields(facts))
    if logger.refused_lines:
        return USAGE
    return 0


@train.part(
    "end",
    result=TrainingRun,
    example=(
        "training-versions train end support-bot@3",
        'training-versions train end support-bot@3 --status failed --reason "out of memory"',
    ),
)
@click.argument("version", metavar="VERSION")
@click.option(
    "--status",
    type=click.Choice(["completed", "failed", "cancelled"]),
    default="completed",
    help="Completed if left out, which is final.",
)
@click.option("--reason", metavar="TEXT", help="Why it failed or was cancelled.")
@click.option(
    "--run", type=click.UUID, metavar="ID", help="Only if this is the run that is running."
)
@pass_session
def end(
    session: Session, version: str, status: Status, reason: str | None, run: UUID | None
) -> None:
    """End the running training run."""
    if status == "completed" and reason is not None:
        raise usage("--reason goes with --status failed or cancelled")
    if status == "failed" and reason is None:
        raise usage("--reason is missing: why did it fail?")
    found = find_version(session, version)
    versions = session.versions
    if status == "completed":
        ended = versions.complete_training(found.version.id, run_id=run)
    elif status == "failed":
        assert reason is not None
        ended = versions.fail_training(found.version.id, reason, run_id=run)
    else:
        ended = versions.cancel_training(found.version.id, reason=reason, run_id=run)
    _show_run(session, found, ended)


def _show_run(session: Session, found: FoundVersion, run: TrainingRun) -> None:
    facts: list[tuple[str, Cell]] = [
        ("version", found.written),
        ("training", run.status),
        ("started", run.started_at),
        ("ended", run.ended_at),
        ("reason", run.reason),
        ("run", str(run.id)),
    ]
    output = session.output
    output.show(run, ids=[run.id], text=lambda: output.fields(facts))


@train.part("runs", result=list[TrainingRun], example="training-versions train runs support-bot@3")
@click.argument("version", metavar="VERSION")
@pass_session
def runs(session: Session, version: str) -> None:
    """List the training runs of a version, the newest first."""
    version_id = find_version(session, version).version.id
    found = list(session.versions.iterate_runs(version_id))
    columns = [
        Column("run"),
        Column("status", is_styled=True),
        Column("started"),
        Column("ended"),
        Column("reason", may_wrap=True),
    ]
    rows = [(str(run.id), run.status, run.started_at, run.ended_at, run.reason) for run in found]
    output = session.output
    output.show(
        found,
        ids=[run.id for run in found],
        text=lambda: output.table(
            columns, rows, empty="Never trained: training-versions train start VERSION"
        ),
    )


@train.part(
    "curve",
    result=list[Curve],
    example=(
        "training-versions train curve support-bot@3",
        "training-versions train curve support-bot@3 loss > loss.tsv",
    ),
)
@click.argument("version", metavar="VERSION")
@click.argument("metric", nargs=-1, metavar="[METRIC]…")
@click.option(
    "--metric", "more", multiple=True, metavar="METRIC", help="The same as METRIC behind VERSION."
)
@click.option("--run", type=click.UUID, metavar="ID", help=_RUN_HELP)
@pass_session
def curve(
    session: Session, version: str, metric: tuple[str, ...], more: tuple[str, ...], run: UUID | None
) -> None:
    """Draw the curves of a run; through a pipe, print metric, step, value and moment.

    Without METRIC, all of them.
    """
    found = find_version(session, version)
    names = session.versions.metric_names(found.version.id, run_id=run)
    wanted = (*metric, *more)
    for name in wanted:
        if name not in names:
            raise not_found(
                f"{found.written} has no curve of {name!r}",
                hint=f"It has {', '.join(names)}." if names else "It has no curve at all.",
            )
    read = session.versions.metric_history
    curves = [
        Curve(metric=name, points=read(found.version.id, name, run_id=run))
        for name in wanted or names
    ]
    output = session.output
    output.show(
        curves,
        ids=[each.metric for each in curves],
        text=lambda: _print_curves(session, found, curves),
    )


def _print_curves(session: Session, found: FoundVersion, curves: Sequence[Curve]) -> None:
    output = session.output
    if not curves:
        output.say(f"{found.written} has no curves; metrics that are logged with a step make some.")
        return
    if output.is_terminal:
        draw_curves(output, [(each.metric, each.points) for each in curves])
        return
    columns = [Column("metric"), Column("step"), Column("value"), Column("recorded")]
    rows = [
        (each.metric, point.step, repr(point.value), point.recorded_at)
        for each in curves
        for point in each.points
    ]
    output.table(columns, rows)
