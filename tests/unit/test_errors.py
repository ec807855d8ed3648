"""The error tree is whole: every code and every httpx error has its class, and errors survive
pickle.
"""

import base64
import inspect
import json
import pickle
import re
from pathlib import Path

import httpx
import pytest
from postgrest.exceptions import APIError

from training_versions import errors
from training_versions.errors import (
    CODES,
    ConnectionFailedError,
    DatabaseError,
    InvalidInputError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SchemaMismatchError,
    TrainingVersionsError,
    UnavailableError,
    UnreadableReplyError,
    class_of,
)
from training_versions.operations.failures import TRANSPORT_ERRORS, translate

MIGRATIONS = Path(__file__).parents[2] / "supabase" / "migrations"
HTTPX_ERRORS = sorted(
    (
        kind
        for kind in vars(httpx).values()
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == "httpx"
    ),
    key=lambda kind: kind.__name__,
)
NOTHING_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"}
ERRORS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, TrainingVersionsError)
]


def token(**claims: object) -> dict[str, str]:
    """Make the header that carries a token with these claims; nobody here checks its signature."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return {"Authorization": f"Bearer e30.{payload}.c2ln"}


SIGNED_IN = token(role="authenticated", sub="0f9e")


def refused(
    code: str | None, headers: dict[str, str] = SIGNED_IN, *, write: bool = True, **more: str
) -> Exception:
    return translate(
        APIError({"code": code, "message": "no", **more}),
        "versions.publish",
        headers,
        is_write=write,
    )


def test_every_errcode_of_the_migrations_is_in_the_table_and_the_other_way_round() -> None:
    sql = "\n".join(path.read_text(encoding="utf-8") for path in MIGRATIONS.glob("*.sql"))

    raised = set(re.findall(r"'(TV\d{3})'", sql))

    assert raised == {code for code in CODES if re.fullmatch(r"TV\d{3}", code)}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("TV101", "NotFoundError"),
        ("TV199", "NotFoundError"),
        ("TV201", "ConflictError"),
        ("TV399", "RejectedError"),
        ("PGRST116", "NotFoundError"),
        ("23505", "ConflictError"),
        ("40001", "ConflictError"),
        ("40P01", "ConflictError"),
        ("23514", "RejectedError"),
        ("23502", "RejectedError"),
        ("22P02", "RejectedError"),
        ("42501", "PermissionDeniedError"),
        ("PGRST301", "PermissionDeniedError"),
        ("PGRST302", "PermissionDeniedError"),
        ("PGRST202", "SchemaMismatchError"),
        ("PGRST204", "SchemaMismatchError"),
        ("PGRST205", "SchemaMismatchError"),
        ("42883", "SchemaMismatchError"),
        ("53300", "UnavailableError"),
        ("57014", "UnavailableError"),
        ("PGRST000", "UnavailableError"),
        ("PGRST003", "UnavailableError"),
        ("XX000", "DatabaseError"),
        (None, "DatabaseError"),
    ],
)
def test_a_code_becomes_its_class(code: str | None, name: str) -> None:
    assert class_of(code).__name__ == name


@pytest.mark.parametrize("kind", HTTPX_ERRORS, ids=lambda kind: kind.__name__)
def test_every_httpx_error_is_classified(kind: type[Exception]) -> None:
    exc = kind.__new__(kind, "gone")

    assert isinstance(exc, TRANSPORT_ERRORS)
    nothing_sent = any(base.__name__ in NOTHING_SENT for base in kind.__mro__)
    write = translate(exc, "versions.publish", {}, is_write=True)
    assert type(write) is (ConnectionFailedError if nothing_sent else OutcomeUnknownError)
    assert type(translate(exc, "versions.get", {}, is_write=False)) is ConnectionFailedError


@pytest.mark.parametrize(
    "code", ["500", "502", "503", "504", "520", "524", "408", "PGRST001", None]
)
def test_a_proxys_page_leaves_a_write_unknown(code: str | None) -> None:
    assert type(refused(code)) is OutcomeUnknownError


@pytest.mark.parametrize(
    ("code", "kind"), [("502", ConnectionFailedError), ("PGRST001", UnavailableError)]
)
def test_a_read_is_never_unknown(code: str, kind: type[Exception]) -> None:
    assert type(refused(code, write=False)) is kind


def test_a_gateway_that_turns_a_write_down_with_a_hint_is_believed() -> None:
    exc = refused(None, hint="Double check your API key.")

    assert type(exc) is DatabaseError
    assert exc.hint == "Double check your API key."


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer sb_publishable_abc"},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer e30.W10.x"},
        token(role="anon", sub="x"),
        token(role="authenticated"),
        token(),
    ],
)
def test_someone_not_signed_in_is_told_so(headers: dict[str, str]) -> None:
    exc = refused("42501", headers)

    assert type(exc) is PermissionDeniedError
    assert exc.message == "You are not signed in, so versions.publish was refused: no."
    assert "client.auth.sign_in_with_password" in str(exc.hint)


@pytest.mark.parametrize(
    "headers", [SIGNED_IN, token(role="service_role"), {"Authorization": "Bearer sb_secret_abc"}]
)
def test_a_forbidden_row_is_told_as_the_database_says_it(headers: dict[str, str]) -> None:
    exc = refused("42501", headers, hint="Ask its owner.")

    assert str(exc) == "no\nHint: Ask its owner."


@pytest.mark.parametrize("code", ["PGRST301", "PGRST303"])
def test_an_expired_token_is_told_apart(code: str) -> None:
    exc = refused(code)

    assert type(exc) is PermissionDeniedError
    assert str(exc).startswith(
        "The access token has expired or is not valid: no.\nHint: Sign in again"
    )


@pytest.mark.parametrize("code", ["PGRST202", "PGRST204", "PGRST205", "42P01", "42883"])
def test_missing_migrations_are_told(code: str) -> None:
    exc = refused(code)

    assert type(exc) is SchemaMismatchError
    assert "supabase db push" in str(exc.hint)


def test_details_are_parsed_when_they_are_an_object() -> None:
    parsed = refused("TV201", details='{"version_id": "x"}')
    text = refused("23505", details="Key (id)=(3) already exists.")

    assert isinstance(parsed, DatabaseError)
    assert isinstance(text, DatabaseError)
    assert (parsed.details, text.details) == ({"version_id": "x"}, "Key (id)=(3) already exists.")


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_survives_pickle_with_all_it_says(kind: type[TrainingVersionsError]) -> None:
    error = kind("what happened", operation="versions.get", hint="what to do")
    error.after_lost_reply = True
    if isinstance(error, DatabaseError):
        error.code, error.details = "TV101", "why"
    if isinstance(error, InvalidInputError):
        error.field = "name"
    if isinstance(error, UnreadableReplyError):
        error.reply = {"a": [1]}

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_invalid_input_is_a_value_error() -> None:
    assert issubclass(InvalidInputError, ValueError)
