"""What the pages make of an error: the status of the endpoints, and words for people."""

from __future__ import annotations

import logging

import pytest

from training_versions import ConnectionFailedError, InvalidInputError, TrainingVersionsError
from training_versions.rest.problems import OF_CLASS, problem_of
from training_versions.snapshots import to_json
from training_versions.web.errors import (
    STATUSES,
    CrossSiteError,
    SignedOutError,
    status_of,
    words_of,
)

OF_PROGRAMS = {"AutosaveConflictError", "BundleError"}
"""Errors of parts of the SDK that no page uses."""


@pytest.mark.parametrize(
    "error",
    [error for error in OF_CLASS if error.__name__ not in OF_PROGRAMS],
    ids=lambda error: error.__name__,
)
def test_a_page_has_the_status_that_the_endpoints_answer(
    error: type[TrainingVersionsError],
) -> None:
    assert status_of(error("it failed")) == OF_CLASS[error].status


def test_the_errors_of_pages_alone_have_a_status_too() -> None:
    assert set(STATUSES) - set(OF_CLASS) == {SignedOutError, CrossSiteError}


def test_where_the_project_is_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    error = ConnectionFailedError("No reply came: ConnectError", hint="Nothing listens at 10.0.0.1")

    with caplog.at_level(logging.WARNING):
        message, hint = words_of(error)

    assert (message, hint) == (
        "The project does not answer, and nothing was changed.",
        "Try again in a moment.",
    )
    assert "ConnectError" in caplog.text


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        (
            {"hub_token": "x1"},
            "A version is kept for ever: leave the secret out, or store the name of the "
            "environment variable that holds it.",
        ),
        ({"lr": float("inf")}, 'Write null, or text such as "inf".'),
    ],
)
def test_whoever_sends_json_is_not_told_what_only_python_can_do(config: object, hint: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        to_json(config, "config")

    assert words_of(refusal.value)[1] == hint
    assert problem_of(refusal.value).as_model().hint == hint
