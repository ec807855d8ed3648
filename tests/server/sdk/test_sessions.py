"""Who is asking, and whom: forged and refreshed tokens, other users, clients and servers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import jwt
import pytest
from supabase_auth.types import Session, User

from tests.data import SNAPSHOTS
from tests.faces import both_faces
from training_versions import (
    DatabaseError,
    InvalidInputError,
    NotSignedInError,
    PermissionDeniedError,
    UnreadableReplyError,
)

pytestmark = both_faces


@pytest.mark.parametrize("forged", ["signature", "text"])
def test_a_token_that_is_not_valid_is_refused_as_such(connect, ada, forged):
    token = "nonsense"
    if forged == "signature":
        claims = {"sub": str(ada.id), "role": "authenticated", "exp": 9_999_999_999}
        token = jwt.encode(claims, "somebody else's secret, also 32 characters", algorithm="HS256")

    with pytest.raises(PermissionDeniedError) as caught:
        connect(token).versions.list()

    assert caught.value.message.startswith("The access token has expired or is not valid: ")
    assert caught.value.code == "PGRST301"


TOKENS = {
    "issued in the future": ({"iat": 9_000_000_000}, "By the server's clock, ", "Set the clocks"),
    "not valid yet": ({"nbf": 9_000_000_000}, "By the server's clock, ", "Set the clocks"),
    "an unknown role": ({"role": "nobody"}, "a role that this database does not", "Auth server"),
    "no user": ({"sub": "bot"}, "its `sub` is no UUID", "Auth server"),
    "no role": ({"role": None}, "You are not signed in", "Sign in first"),
}


@pytest.mark.parametrize(("changed", "words", "hint"), TOKENS.values(), ids=TOKENS)
def test_a_token_of_another_kind_is_told_for_reads_and_writes(
    connect, stack, ada, changed, words, hint
):
    claims = {"sub": str(ada.id), "role": "authenticated", "exp": 9_999_999_999} | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    caller = connect(jwt.encode(claims, stack.jwt_secret, algorithm="HS256"))

    for act in (caller.versions.list, caller.package):
        with pytest.raises(NotSignedInError) as caught:
            act()

        assert words in caught.value.message
        assert hint in caught.value.hint
    early = words.startswith("By the server")
    assert len(caller.sent) == (4 if early else 2)


@pytest.mark.parametrize("key", ["not-a-key", "sb_publishable_of_another_project"])
def test_a_key_that_the_project_does_not_know_is_told_apart_from_a_session(face, stack, key):
    http = face.http(verify=False)
    packages = face.packages(face.supabase(stack.url, key, http))

    with pytest.raises(PermissionDeniedError, match="does not know the API key") as caught:
        packages.list()

    assert not isinstance(caught.value, NotSignedInError)
    face.close_http(http)


def test_an_address_with_the_path_of_the_api_is_told(face, stack):
    http = face.http(verify=False)

    with pytest.raises(InvalidInputError, match="with /rest/v1 twice"):
        face.packages(face.supabase(stack.rest_url, stack.anon_key, http))

    face.close_http(http)


# --- a token that the user's client refreshes


class AuthServer:
    """Answers as the auth server of a hosted project does when a session is set or refreshed."""

    def __init__(self, access_token: str) -> None:
        self.user = {
            "id": str(uuid4()),
            "aud": "authenticated",
            "app_metadata": {},
            "user_metadata": {},
            "created_at": datetime.now(UTC).isoformat(),
        }
        self.session = {
            "access_token": access_token,
            "refresh_token": "again",
            "token_type": "bearer",
            "expires_in": 3600,
            "user": self.user,
        }

    def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.startswith("/auth/v1/"):
            return None
        refreshes = request.url.path.endswith("/token")
        return httpx.Response(200, json=self.session if refreshes else self.user, request=request)


def test_a_token_refreshed_by_the_users_client_is_used_at_the_next_call(
    face, connect, stack, ada, package
):
    claims = {
        "sub": str(ada.id),
        "role": "authenticated",
        "aud": "authenticated",
        "exp": int(time.time()) - 60,
    }
    expired = jwt.encode(claims, stack.jwt_secret, algorithm="HS256")
    early = connect(expired, before=AuthServer(ada.token))
    with pytest.raises(PermissionDeniedError, match="expired"):
        early.draft(package)

    face.call(early.client.auth.set_session, expired, "refresh-token")

    assert early.draft(package).version_number == 1
    assert early.packages.get(package.id) == package.model_copy(update={"version_count": 1})
    assert early.sent[-1].headers["authorization"] == f"Bearer {ada.token}"


def test_after_signing_in_as_somebody_else_the_same_repository_acts_as_them(
    face, ada, bob, package
):
    assert ada.packages.find(package.id) == package
    user = User(
        id=str(bob.id),
        app_metadata={},
        user_metadata={},
        aud="authenticated",
        created_at=datetime.now(UTC),
    )
    session = Session(
        access_token=bob.token, refresh_token="r", expires_in=3600, token_type="bearer", user=user
    )

    # Its subscribers need a running event loop, where there is one.
    face.call(ada.client.auth._notify_all_subscribers, "SIGNED_IN", session)

    assert ada.packages.find(package.id) is None
    assert ada.versions.list(package.id).items == []


def test_a_bare_postgrest_client_works_as_well(face, stack, ada):
    http = face.http(verify=False)
    authorization = f"Bearer {ada.token}"
    client = face.postgrest(
        stack.rest_url, http, apikey=stack.anon_key, Authorization=authorization
    )
    versions = face.versions(client)

    package = face.packages(client).create("bot", template_type="lora", config={})
    draft = versions.create_draft(package.id, **SNAPSHOTS)

    assert versions.get(draft.id) == ada.versions.get(draft.id) == draft
    face.close_http(http)


def test_a_server_that_is_not_a_project_is_not_taken_for_one(connect, stack, ada):
    elsewhere = connect(ada, url=f"{stack.url}/somewhere")

    with pytest.raises((DatabaseError, UnreadableReplyError)) as caught:
        elsewhere.versions.list()

    assert "/rest/v1 only" in str(caught.value)
