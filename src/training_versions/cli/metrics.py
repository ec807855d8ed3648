"""Metrics: parse them from arguments and lines, and record them."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from training_versions import InvalidInputError, TrainingVersionsError
from training_versions.cli.context import Session
from training_versions.cli.exits import usage
from training_versions.cli.sdk_errors import as_command_error, is_unreachable

STEP: Final = "step"
"""The key of the step in a line of metrics."""
_SET_BY_A_LINE: Final = ("metrics", STEP)
"""The arguments of `record_metrics` that a line sets. If one is invalid, only that line is."""
RETRY_SECONDS: Final = 600.0
"""Seconds for which a line of stdin is retried while the project cannot be reached."""
_PAUSES: Final = (1, 2, 5, 10, 20)
"""Seconds between two tries. The last pause is repeated."""


@dataclass(frozen=True)
class Metrics:
    """The metrics of one step."""

    values: Mapping[str, Any]
    step: int | None


def from_arguments(arguments: Sequence[str], step: int | None) -> Metrics:
    """Parse `loss=0.3 accuracy=0.9`, or one JSON object.

    Raises:
        CommandError: An argument is invalid. The message names it.
    """
    if len(arguments) == 1 and arguments[0].lstrip().startswith("{"):
        try:
            read = parse_line(arguments[0])
        except ValueError as exc:
            raise usage(f"the metrics are not right: {exc}") from None
        if step is not None and read.step is not None:
            raise usage("the step is given twice: as --step and in the JSON")
        return Metrics(read.values, read.step if step is None else step)
    values: dict[str, float | int] = {}
    for argument in arguments:
        name, separator, text = argument.rpartition("=")
        if not separator or not name:
            raise usage(
                f"{argument!r} is no metric", hint="Write its name and value, as in loss=0.41."
            )
        if name in values:
            raise usage(f"the metric {name!r} is given twice")
        values[name] = _number(name, text)
    return Metrics(values, step)


def _number(name: str, text: str) -> float | int:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise usage(f"the value of {name!r} is no number: {text!r}") from None


def parse_line(text: str) -> Metrics:
    """Parse one JSON object.

    Raises:
        ValueError: The text is not a JSON object, or its step is invalid.
    """
    try:
        # NaN and Infinity are accepted, as trainers write them. The SDK handles them.
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as exc:
        # Python's line number is always 1 here and not that of the input, so it is left out.
        problem = f"{exc.msg[:1].lower()}{exc.msg[1:]}, column {exc.colno}"
        raise ValueError(f"it is not JSON ({problem})") from None
    except ValueError:
        raise ValueError("a number has thousands of digits") from None
    if not isinstance(value, dict):
        raise ValueError('it is not an object such as {"step": 100, "loss": 0.41}')
    values = cast("dict[str, Any]", value)
    step = values.pop(STEP, None)
    # In Python, `True` is an integer.
    if step is not None and (type(step) is not int or step < 0):
        raise ValueError(f"its step is no whole number of 0 or more: {step!r:.40}")
    if not values:
        raise ValueError("it has no metrics")
    return Metrics(values, step)


@dataclass
class MetricLogger:
    """Records metrics of one version, and counts the results."""

    session: Session
    version_id: UUID
    run_id: UUID | None
    records: int = 0
    last_step: int | None = None
    missing: set[str] = field(default_factory=set[str])
    refused_lines: list[int] = field(default_factory=list[int])

    def record(self, metrics: Metrics) -> None:
        """Record metrics, and note those that could not be stored."""
        recorded = self.session.versions.record_metrics(
            self.version_id, metrics.values, step=metrics.step, run_id=self.run_id
        )
        self.records += 1
        if metrics.step is not None:
            self.last_step = metrics.step
        for name in recorded.missing_metrics:
            if name not in self.missing:
                self.missing.add(name)
                self.session.output.note(
                    f"warning: {name} is not stored where it is NaN or infinite, "
                    f"first at step {metrics.step}"
                )

    def record_lines(self, lines: Iterable[bytes]) -> None:
        """Record each line as it arrives. An invalid line is reported and skipped."""
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                metrics = parse_line(line.decode())
                if not _has_finite(metrics.values):
                    self._leave_out(number, "all of its metrics are NaN or infinite")
                    continue
            except ValueError as exc:
                self._leave_out(number, str(exc))
                continue
            try:
                self._record_with_retries(metrics)
            except InvalidInputError as exc:
                if exc.field not in _SET_BY_A_LINE:
                    self._note_stop(number)
                    raise
                self._leave_out(number, as_command_error(self.session, exc).message)
            except (TrainingVersionsError, KeyboardInterrupt, SystemExit):
                self._note_stop(number)
                raise

    def _note_stop(self, number: int) -> None:
        # The lines before this one are recorded, so logging can continue from here.
        self.session.output.note(
            f"stopped at line {number}: {self.records} lines before it are recorded"
        )

    def _record_with_retries(self, metrics: Metrics) -> None:
        """Record metrics, with retries while the project cannot be reached.

        Meanwhile the trainer continues, and its output waits in the pipe. A retry after a lost
        reply records nothing twice, as recording sets the values of metrics.
        """
        deadline = time.monotonic() + RETRY_SECONDS
        pauses = itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1]))
        for pause in pauses:
            try:
                self.record(metrics)
                return
            except TrainingVersionsError as exc:
                if time.monotonic() + pause > deadline or not is_unreachable(self.session, exc):
                    raise
                message = as_command_error(self.session, exc).message
                self.session.output.note(f"{message}. Trying again in {pause} s.")
            time.sleep(pause)

    def _leave_out(self, number: int, reason: str) -> None:
        self.refused_lines.append(number)
        self.session.output.note(f"error: line {number} is left out: {reason}")


def _has_finite(values: Mapping[str, Any]) -> bool:
    # Values that are not numbers are not filtered here, as the SDK refuses them.
    return any(not isinstance(value, float) or math.isfinite(value) for value in values.values())
