"""Access tokens: what is read from the headers that a client sends."""

import base64
import json

import pytest

from training_versions.operations.tokens import user_of
from training_versions.project import is_service_key, read_claims


@pytest.mark.parametrize(
    ("authorization", "caller"),
    [
        (
            "Bearer e30.eyJzdWIiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDEifQ.x",
            "00000000-0000-0000-0000-000000000001",
        ),
        ("Bearer e30.e30.x", None),
        ("Bearer e30.eyJzdWIiOjN9.x", None),
        ("Bearer sb_secret_x", None),
        ("Bearer a.b.c", None),
        ("", None),
    ],
)
def test_the_caller_is_the_user_of_the_token(authorization: str, caller: str | None) -> None:
    assert user_of({"Authorization": authorization}) == caller


def token(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.x"


@pytest.mark.parametrize("text", ["", "a.b.c", "sb_publishable_x", token([1]), token("a" * 99)])
def test_what_is_no_token_claims_nothing(text: str) -> None:
    assert read_claims(text) == {}


def test_claims_that_are_nested_without_end_are_none() -> None:
    payload = base64.urlsafe_b64encode(b"[" * 100_000).decode()

    assert read_claims(f"e30.{payload}.x") == {}


@pytest.mark.parametrize(
    ("key", "is_service"),
    [
        ("sb_secret_x", True),
        (token({"role": "service_role"}), True),
        ("sb_publishable_x", False),
        (token({"role": "anon"}), False),
        ("", False),
    ],
)
def test_a_key_of_the_service_role_is_known_in_both_forms(key: str, is_service: bool) -> None:
    assert is_service_key(key) is is_service
