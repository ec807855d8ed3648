"""Access tokens: what is read from the headers that a client sends."""

import pytest

from training_versions.operations.tokens import user_of


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
