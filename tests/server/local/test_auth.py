"""The auth server of the embedded stack, through the clients that people use."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from supabase import AsyncClientOptions, Client, ClientOptions, create_async_client, create_client
from supabase_auth.errors import AuthApiError

from training_versions import PermissionDeniedError, VersionRepository
from training_versions.local import LocalSupabase

REPOSITORY = Path(__file__).parents[3]
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def bare() -> Iterator[LocalSupabase]:
    """A stack of its own, with a table in which everybody sees what is theirs."""
    with LocalSupabase(migrations=None) as running:
        running.psql(
            "create table notes (text text, owner uuid default auth.uid());"
            "alter table notes enable row level security;"
            "create policy own on notes using (owner = auth.uid()) with check (true);"
            "grant select, insert on notes to authenticated;"
        )
        running.reload_schema()
        yield running


@pytest.fixture
def make_client(bare: LocalSupabase) -> Iterator[Callable[[], Client]]:
    """Makes clients as users make them, without a session."""
    with httpx.Client(timeout=60) as http:

        def make() -> Client:
            options = ClientOptions(auto_refresh_token=False, httpx_client=http)
            return create_client(bare.url, bare.publishable_key, options)

        yield make


@pytest.fixture
def client(make_client: Callable[[], Client]) -> Client:
    return make_client()


@pytest.fixture
def api(bare: LocalSupabase) -> Iterator[httpx.Client]:
    headers = {"apikey": bare.publishable_key}
    with httpx.Client(base_url=f"{bare.url}/auth/v1", headers=headers, timeout=60) as api:
        yield api


def credentials(email: str, password: str = PASSWORD) -> Any:
    return {"email": email, "password": password}


# --- sign up, sign in, refresh, sign out


def test_a_user_signs_up_signs_in_refreshes_and_signs_out(
    client: Client, unique: Callable[[str], str]
) -> None:
    email = unique("Ada@")
    metadata = {"name": "O'Hara $f0$ \\ :name"}
    signed_up = client.auth.sign_up({**credentials(email), "options": {"data": metadata}})
    assert signed_up.user is not None
    assert signed_up.user.email == email.lower()
    assert signed_up.user.user_metadata == metadata
    client.table("notes").insert({"text": "mine"}).execute()
    client.auth.sign_out()

    signed_in = client.auth.sign_in_with_password(credentials(email)).session

    assert signed_in is not None
    assert signed_in.user.id == signed_up.user.id
    assert signed_in.user.last_sign_in_at is not None
    refreshed = client.auth.refresh_session().session
    assert refreshed is not None
    assert refreshed.refresh_token != signed_in.refresh_token
    assert client.table("notes").select("text").execute().data == [{"text": "mine"}]
    user = client.auth.get_user()
    assert user is not None
    assert user.user.id == signed_up.user.id

    client.auth.sign_out()

    for token in (signed_in.refresh_token, refreshed.refresh_token):
        with pytest.raises(AuthApiError, match="Refresh Token Not Found"):
            client.auth.refresh_session(token)
    with pytest.raises(AuthApiError, match="Session from session_id claim"):
        client.auth.get_user(refreshed.access_token)


def test_the_async_client_does_the_same(bare: LocalSupabase, unique: Callable[[str], str]) -> None:
    email = unique("async@")

    async def use(http: httpx.AsyncClient) -> list[Any]:
        options = AsyncClientOptions(auto_refresh_token=False, httpx_client=http)
        client = await create_async_client(bare.url, bare.publishable_key, options)
        await client.auth.sign_up(credentials(email))
        signed_in = await client.auth.sign_in_with_password(credentials(email))
        await client.auth.refresh_session()
        user = await client.auth.get_user()
        await client.table("notes").insert({"text": "async"}).execute()
        notes = (await client.table("notes").select("text").execute()).data
        await client.auth.sign_out()
        assert signed_in.user is not None
        assert user is not None
        return [user.user.id == signed_in.user.id, notes, await client.auth.get_session()]

    async def use_and_close() -> list[Any]:
        async with httpx.AsyncClient(timeout=60) as http:
            return await use(http)

    assert asyncio.run(use_and_close()) == [True, [{"text": "async"}], None]


def test_supabase_js_does_the_same(bare: LocalSupabase, unique: Callable[[str], str]) -> None:
    code = """
        import { createClient } from '@supabase/supabase-js'
        const [url, key, email, password] = process.argv.slice(1)
        const supabase = createClient(url, key, {
            auth: { persistSession: false, autoRefreshToken: false },
            realtime: { transport: class {} },
        })
        const seen = {}
        const options = { data: { a: 1 } }
        const signedUp = await supabase.auth.signUp({ email, password, options })
        seen.signUp = [signedUp.error, signedUp.data.user.user_metadata]
        const again = await supabase.auth.signUp({ email, password })
        seen.again = again.error.code
        const wrong = await supabase.auth.signInWithPassword({ email, password: 'wrong password' })
        seen.wrong = [wrong.error.code, wrong.error.message, wrong.error.status]
        const signedIn = await supabase.auth.signInWithPassword({ email, password })
        seen.signIn = signedIn.data.user.id === signedUp.data.user.id
        const refreshed = await supabase.auth.refreshSession()
        seen.refresh = [
            refreshed.error,
            refreshed.data.session.refresh_token !== signedIn.data.session.refresh_token,
        ]
        seen.user = (await supabase.auth.getUser()).data.user.email
        seen.claims = (await supabase.auth.getClaims()).data.claims.email
        seen.header = (await supabase.auth.getClaims()).data.header.alg
        const inserted = await supabase.from('notes').insert({ text: 'js' })
        const found = await supabase.from('notes').select('text')
        seen.notes = [inserted.status, found.data]
        seen.signOut = (await supabase.auth.signOut()).error
        const late = await supabase.auth.refreshSession({
            refresh_token: refreshed.data.session.refresh_token,
        })
        seen.late = late.error.code
        console.log(JSON.stringify(seen))
    """
    email = unique("js@")
    node = ["node", "--input-type=module", "--eval", code]

    done = subprocess.run(
        [*node, bare.url, bare.publishable_key, email, PASSWORD],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=REPOSITORY,
    )

    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "signUp": [None, {"a": 1}],
        "again": "user_already_exists",
        "wrong": ["invalid_credentials", "Invalid login credentials", 400],
        "signIn": True,
        "refresh": [None, True],
        "user": email,
        "claims": email,
        "header": "ES256",
        "notes": [201, [{"text": "js"}]],
        "signOut": None,
        "late": "refresh_token_not_found",
    }


def test_a_client_of_sign_in_has_a_session_that_can_be_refreshed(
    bare: LocalSupabase, unique: Callable[[str], str]
) -> None:
    client = bare.sign_in(unique("local@"))
    before = client.auth.get_session()

    client.auth.refresh_session()

    after = client.auth.get_session()
    assert before is not None
    assert after is not None
    assert after.refresh_token != before.refresh_token
    assert client.table("notes").select("text").execute().data == []


def test_an_async_client_of_sign_in_has_a_session_that_can_be_refreshed(
    bare: LocalSupabase, unique: Callable[[str], str]
) -> None:
    async def refresh() -> Any:
        client = await bare.sign_in_async(unique("local@"))
        return (await client.auth.refresh_session()).user

    assert asyncio.run(refresh()).email.startswith("local-")


def test_a_user_changes_password_and_metadata(client: Client, unique: Callable[[str], str]) -> None:
    email = unique("change@")
    client.auth.sign_up({**credentials(email), "options": {"data": {"a": 1}}})

    client.auth.update_user({"password": "another horse", "data": {"b": 2}})

    with pytest.raises(AuthApiError, match="Invalid login credentials"):
        client.auth.sign_in_with_password(credentials(email))
    signed_in = client.auth.sign_in_with_password(credentials(email, "another horse"))
    assert signed_in.user is not None
    assert signed_in.user.user_metadata == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("scope", "ended"),
    [("global", ["first", "second"]), ("local", ["second"]), ("others", ["first"])],
)
def test_signing_out_ends_the_sessions_of_its_scope(
    bare: LocalSupabase, unique: Callable[[str], str], scope: Any, ended: list[str]
) -> None:
    email = unique("scope@")
    clients = {name: bare.sign_in(email) for name in ("first", "second")}
    other = bare.sign_in(unique("other@"))
    sessions = {name: client.auth.get_session() for name, client in clients.items()}

    clients["second"].auth.sign_out({"scope": scope})

    found: list[str] = []
    for name, session in sessions.items():
        assert session is not None
        try:
            other.auth.get_user(session.access_token)
        except AuthApiError:
            found.append(name)
    assert found == ended
    assert other.auth.get_user() is not None


def test_an_ended_session_is_refreshed_as_the_hint_of_the_error_says(
    unique: Callable[[str], str],
    stack: LocalSupabase,
) -> None:
    email = unique("hint@")
    client = stack.sign_in(email)
    versions = VersionRepository(client)
    expired = f"Bearer {stack.token(email, expires_in=-60)}"
    client.postgrest.headers["Authorization"] = expired
    with pytest.raises(PermissionDeniedError) as caught:
        versions.list()
    assert caught.value.hint is not None
    assert "client.auth.refresh_session()" in caught.value.hint

    client.auth.refresh_session()

    assert versions.list().items == []


# --- what is refused


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("signup", {"email": "a@b.c", "password": "short"}, 422, "weak_password"),
        ("signup", {"email": "a@b.c", "password": ""}, 422, "validation_failed"),
        ("signup", {"email": "a@b.c", "password": "x" * 73}, 422, "validation_failed"),
        ("signup", {"email": "nobody", "password": PASSWORD}, 400, "validation_failed"),
        ("signup", {"password": PASSWORD}, 422, "anonymous_provider_disabled"),
        ("signup", {"phone": "1", "password": PASSWORD}, 400, "phone_provider_disabled"),
        ("signup", {"email": "a\0@b.c", "password": PASSWORD}, 400, "bad_json"),
        ("signup", {"email": ["a@b.c"], "password": PASSWORD}, 400, "bad_json"),
        ("signup", ["a@b.c"], 400, "bad_json"),
        ("token?grant_type=password", {"email": "nobody@b.c"}, 400, "invalid_credentials"),
        ("token?grant_type=password", {}, 400, "invalid_credentials"),
        ("token?grant_type=pkce", {}, 400, "unsupported_grant_type"),
        ("token", {}, 400, "unsupported_grant_type"),
        (
            "token?grant_type=refresh_token",
            {"refresh_token": "' or true --"},
            400,
            "refresh_token_not_found",
        ),
        ("logout", {}, 403, "bad_jwt"),  # the key alone is no user's token
        ("recover", {"email": "a@b.c"}, 404, "not_found"),
    ],
)
def test_a_bad_request_is_refused_as_by_supabase(
    api: httpx.Client, path: str, body: object, status: int, code: str
) -> None:
    older = api.post(path, json=body)
    newer = api.post(path, json=body, headers={"X-Supabase-Api-Version": "2024-01-01"})

    assert (older.status_code, older.json()["error_code"]) == (status, code)
    assert (newer.status_code, newer.json()["code"]) == (status, code)
    assert older.json()["msg"] == newer.json()["message"] != ""


def test_a_body_that_is_no_json_is_refused(api: httpx.Client) -> None:
    for content in (b"{", b"\xff", b'{"email": "\\ud800@b.c", "password": "correct horse"}'):
        reply = api.post("signup", content=content)

        assert (reply.status_code, reply.json()["error_code"]) == (400, "bad_json")


def test_a_refresh_token_used_twice_at_once_is_one_refresh_and_later_ends_the_session(
    bare: LocalSupabase, client: Client, unique: Callable[[str], str]
) -> None:
    session = client.auth.sign_up(credentials(unique("twice@"))).session
    assert session is not None

    def refresh(_: int) -> str:
        refreshed = bare.client().auth.refresh_session(session.refresh_token).session
        assert refreshed is not None
        return refreshed.refresh_token

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(refresh, range(4)))) == 1
    bare.psql(
        "update auth.refresh_tokens set used_at = used_at - interval '1 minute'"
        " where token = :'token';",
        token=session.refresh_token,
    )
    with pytest.raises(AuthApiError, match="Already Used"):
        client.auth.refresh_session(session.refresh_token)
    with pytest.raises(AuthApiError, match="Session from session_id claim"):
        client.auth.get_user(session.access_token)


@pytest.mark.parametrize("which", ["expired", "forged", "a key", "a deleted user"])
def test_a_token_that_is_no_users_is_refused(
    bare: LocalSupabase, api: httpx.Client, unique: Callable[[str], str], which: str
) -> None:
    email = unique("token@")
    claims = {"sub": str(bare.user_id(email)), "aud": "authenticated", "role": "authenticated"}
    tokens = {
        "expired": bare.token(email, expires_in=-60),
        "forged": jwt.encode(claims, "x" * 64, algorithm="HS256"),
        "a key": bare.anon_key,
        "a deleted user": bare.token(email),
    }
    bare.psql("delete from auth.users where email = :'email';", email=email)

    reply = api.get("user", headers={"Authorization": f"Bearer {tokens[which]}"})

    code = "user_not_found" if which == "a deleted user" else "bad_jwt"
    assert (reply.status_code, reply.json()["error_code"]) == (403, code)


def test_passwords_are_stored_as_salted_hashes(
    bare: LocalSupabase, client: Client, unique: Callable[[str], str]
) -> None:
    for name in ("one@", "two@"):
        client.auth.sign_up(credentials(unique(name)))

    stored = bare.psql(
        "select encrypted_password from auth.users where encrypted_password is not null;"
    ).split()

    assert all(line.startswith("scrypt$16384$8$1$") for line in stored)
    assert len(set(stored)) == len(stored) >= 2


# --- keys and the gateway


def test_the_published_keys_verify_tokens_and_hold_nothing_private(
    bare: LocalSupabase, unique: Callable[[str], str]
) -> None:
    email = unique("keys@")
    url = f"{bare.url}/auth/v1/.well-known/jwks.json"
    token = bare.token(email)
    bare.rotate_signing_key()

    key = jwt.PyJWKClient(url).get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["ES256"], audience="authenticated")

    published = httpx.get(url).json()["keys"]
    assert claims["email"] == email
    assert len(published) == len({each["kid"] for each in published}) >= 2
    assert {name for each in published for name in each} == {
        *("alg", "crv", "key_ops", "kid", "kty", "use", "x", "y")
    }


def test_sessions_outlive_a_rotation_and_get_tokens_of_the_new_key(
    bare: LocalSupabase, client: Client, unique: Callable[[str], str]
) -> None:
    session = client.auth.sign_up(credentials(unique("rotate@"))).session
    assert session is not None

    bare.rotate_signing_key(revoke_old=True)

    with pytest.raises(AuthApiError, match="invalid JWT"):
        client.auth.get_user(session.access_token)
    refreshed = client.auth.refresh_session().session
    assert refreshed is not None
    tokens = (session.access_token, refreshed.access_token)
    assert len({jwt.get_unverified_header(token)["kid"] for token in tokens}) == 2
    assert client.table("notes").select("text").execute().data == []


def test_the_auth_server_wants_a_key_and_lets_browsers_ask(bare: LocalSupabase) -> None:
    url = f"{bare.url}/auth/v1/signup"
    asked = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "apikey,authorization,x-client-info",
    }

    assert httpx.post(url, json={}).json()["message"] == "No API key found in request"
    allowed = httpx.options(url, headers=asked).headers
    assert allowed["Access-Control-Allow-Origin"] == "*"
    assert "x-client-info" in allowed["Access-Control-Allow-Headers"]


def test_many_users_sign_in_at_once(
    make_client: Callable[[], Client], unique: Callable[[str], str]
) -> None:
    email = unique("crowd@")
    make_client().auth.sign_up(credentials(email))

    def sign_in(_: int) -> bool:
        return make_client().auth.sign_in_with_password(credentials(email)).session is not None

    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(sign_in, range(24)))
    assert time.monotonic() - begun < 60
