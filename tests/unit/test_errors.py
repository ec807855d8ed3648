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
    NotSignedInError,
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
        ("403", "PermissionDeniedError"),
        ("401", "NotSignedInError"),
        ("PGRST301", "NotSignedInError"),
        ("PGRST302", "NotSignedInError"),
        ("PGRST303", "NotSignedInError"),
        ("PGRST106", "SchemaMismatchError"),
        ("PGRST203", "SchemaMismatchError"),
        ("42804", "SchemaMismatchError"),
        ("PGRST202", "SchemaMismatchError"),
        ("PGRST204", "SchemaMismatchError"),
        ("PGRST205", "SchemaMismatchError"),
        ("42883", "SchemaMismatchError"),
        ("53300", "UnavailableError"),
        ("57014", "UnavailableError"),
        ("08006", "UnavailableError"),
        ("25006", "UnavailableError"),
        ("55P03", "UnavailableError"),
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


@pytest.mark.parametrize("code", ["", "57P01", "57P02", "08000", "08003", "08006", "08P01"])
def test_a_session_of_the_database_that_ended_leaves_a_write_unknown(code: str) -> None:
    assert type(refused(code)) is OutcomeUnknownError
    assert type(refused(code, hint="Restart it.")) is OutcomeUnknownError


@pytest.mark.parametrize("code", ["57014", "53300", "PGRST000", "PGRST002", "PGRST003", "25P03"])
def test_what_the_database_did_not_do_is_known(code: str) -> None:
    assert type(refused(code)) is UnavailableError


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, ConnectionFailedError) for code in ("502", "")),
        (None, DatabaseError),
        *((code, UnavailableError) for code in ("PGRST001", "57P01", "08006")),
    ],
)
def test_a_read_is_never_unknown(code: str | None, kind: type[Exception]) -> None:
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
        token(sub="0f9e"),
        token(),
    ],
)
def test_someone_not_signed_in_is_told_so(headers: dict[str, str]) -> None:
    exc = refused("42501", headers)

    assert type(exc) is NotSignedInError
    assert exc.message == "You are not signed in, so versions.publish was refused: no."
    assert "client.auth.sign_in_with_password" in str(exc.hint)


@pytest.mark.parametrize(
    "headers", [SIGNED_IN, token(role="service_role"), {"Authorization": "Bearer sb_secret_abc"}]
)
def test_a_forbidden_row_is_told_as_the_database_says_it(headers: dict[str, str]) -> None:
    exc = refused("42501", headers, hint="Ask its owner.")

    assert str(exc) == "no\nHint: Ask its owner."


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("http://127.0.0.1:54321/rest/v1/x", "Nothing listens at http://127.0.0.1:54321."),
        ("https://localhost:54321/rest/v1/x", "The URL of a LocalSupabase begins with http://"),
        ("https://x.supabase.co/rest/v1/x", "Check the project's URL and the network"),
    ],
)
def test_a_failed_connection_is_told_by_its_address(url: str, hint: str) -> None:
    failed = httpx.ConnectError("no", request=httpx.Request("GET", url))

    exc = translate(failed, "versions.list", httpx.Headers(), is_write=False)

    assert str(exc.hint).startswith(hint)


@pytest.mark.parametrize("code", ["PGRST301", "PGRST303"])
def test_an_expired_token_is_told_apart(code: str) -> None:
    exc = refused(code)

    assert type(exc) is NotSignedInError
    assert str(exc).startswith(
        "The access token has expired or is not valid: no.\nHint: Sign in again"
    )


KEY = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (KEY, {"code": "PGRST301", "message": "JWSError JWSInvalidSignature"}),
        ("my-key", {"code": "PGRST301", "message": "JWSError (CompactDecodeError)"}),
        ("sb_secret_x", {"code": "401", "message": "Unauthorized"}),
        (KEY, {"message": "Invalid API key", "hint": "Double check your API key."}),
        (KEY, {"message": "Unregistered API key", "hint": "It is not of this project."}),
    ],
)
def test_an_unknown_key_is_not_taken_for_a_session_that_has_ended(
    key: str, error: dict[str, str]
) -> None:
    headers = httpx.Headers({"apikey": key, "Authorization": f"Bearer {key}"})

    exc = translate(APIError({"code": None, **error}), "versions.publish", headers, is_write=True)

    assert type(exc) is PermissionDeniedError
    assert exc.message.startswith("The project does not know the API key: ")
    assert "refresh_session" not in str(exc)
    assert ("begins with sb_publishable_" in str(exc)) is (key == "my-key")


@pytest.mark.parametrize("code", ["PGRST106", "PGRST203", "42804", "404", "25006", "55P03"])
def test_a_code_that_its_class_does_not_explain_has_a_hint_of_its_own(code: str) -> None:
    others = [refused("PGRST202"), refused("57014")]

    exc = refused(code)

    assert isinstance(exc, DatabaseError)
    assert exc.hint
    assert exc.hint not in [getattr(other, "hint", None) for other in others]


@pytest.mark.parametrize(
    ("claims", "code", "message", "words"),
    [
        ({"role": "nobody"}, "22023", 'role "nobody" does not exist', "a role that this database"),
        ({"role": "nobody"}, "42704", 'role "nobody" does not exist', "a role that this database"),
        (
            {"role": "authenticated", "sub": "bot"},
            "22P02",
            'invalid input syntax for type uuid: "bot"',
            "`sub` is no UUID",
        ),
    ],
)
def test_a_token_of_another_kind_is_told(
    claims: dict[str, str], code: str, message: str, words: str
) -> None:
    exc = refused(code, token(**claims), message=message)

    assert type(exc) is NotSignedInError
    assert words in exc.message
    assert "Auth server of this project" in str(exc.hint)
    # The same words about another role or value are no matter of the token.
    assert type(refused(code, SIGNED_IN, message=message)) is not NotSignedInError


@pytest.mark.parametrize("code", ["PGRST202", "PGRST204", "PGRST205", "42P01", "42883"])
def test_missing_migrations_are_told(code: str) -> None:
    exc = refused(code)

    assert type(exc) is SchemaMismatchError
    assert "`supabase db push`" in str(exc.hint)
    assert "`supabase db push --remote --include-all`" in str(exc.hint)


def test_details_are_parsed_when_they_are_an_object() -> None:
    parsed = refused("TV201", details='{"version_id": "x"}')
    text = refused("23505", details="Key (id)=(3) already exists.")

    assert isinstance(parsed, DatabaseError)
    assert isinstance(text, DatabaseError)
    assert (parsed.details, text.details) == ({"version_id": "x"}, "Key (id)=(3) already exists.")


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_survives_pickle_with_all_it_says(kind: type[TrainingVersionsError]) -> None:
    error = kind("what happened", operation="versions.get", hint="what to do")
    assert str(error) == "what happened\nHint: what to do"
    error.after_lost_reply = True
    assert "that try may have been carried out" in str(error)
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
