"""What the embedded stack answers to clients, keys and tokens."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import jwt
import pytest
from jwt import PyJWKSet
from postgrest import APIError

from training_versions.local import LocalStackError, LocalSupabase
from training_versions.local._tokens import make_signing_key

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def bare() -> Iterator[LocalSupabase]:
    """A stack of its own, with one table and no migrations."""
    with LocalSupabase(migrations=None) as running:
        running.psql(
            "create table notes (text text);"
            "grant select, insert on notes to authenticated, service_role;"
            "create function my_role() returns text return current_user;"
            "create function my_time_limit() returns text"
            " return current_setting('statement_timeout');"
            "create function sleep_long() returns text return pg_sleep(20);"
        )
        running.reload_schema()
        yield running


@pytest.fixture
def api(bare: LocalSupabase) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=bare.url, timeout=60) as client:
        yield client


def test_two_stacks_run_at_once_and_share_nothing(
    stack: LocalSupabase, bare: LocalSupabase
) -> None:
    assert stack.url != bare.url
    assert stack.jwt_secret != bare.jwt_secret
    assert stack.secret_key != bare.secret_key
    with pytest.raises(APIError, match="JWSInvalidSignature"):
        bare.client(stack.anon_key).table("notes").select("*").execute()


# --- the clients that people use


def test_supabase_py_works_against_its_address(bare: LocalSupabase) -> None:
    client = bare.sign_in("py@example.com")

    client.table("notes").insert({"text": "from Python"}).execute()

    found = client.table("notes").select("text", count="exact").eq("text", "from Python").execute()
    assert (found.data, found.count) == ([{"text": "from Python"}], 1)


def test_the_async_supabase_py_works_against_its_address(bare: LocalSupabase) -> None:
    async def insert_and_read() -> object:
        client = await bare.sign_in_async("async@example.com")
        await client.table("notes").insert({"text": "async"}).execute()
        return (await client.table("notes").select("text").eq("text", "async").execute()).data

    assert asyncio.run(insert_and_read()) == [{"text": "async"}]


def test_supabase_js_works_against_its_address(bare: LocalSupabase) -> None:
    code = """
        import { createClient } from '@supabase/supabase-js'
        const [url, key, token] = process.argv.slice(1)
        const client = createClient(url, key, {
            auth: { persistSession: false, autoRefreshToken: false },
            global: { headers: { Authorization: `Bearer ${token}` } },
            realtime: { transport: class {} },
        })
        const inserted = await client.from('notes').insert({ text: 'from JavaScript' })
        const found = await client.from('notes').select('text').eq('text', 'from JavaScript')
        console.log(JSON.stringify([inserted.status, found.data, found.error]))
    """
    node = ["node", "--input-type=module", "--eval", code]
    arguments = [bare.url, bare.publishable_key, bare.token("js@example.com")]

    done = subprocess.run(
        [*node, *arguments], capture_output=True, text=True, timeout=60, cwd=REPOSITORY
    )

    assert done.stderr == ""
    assert json.loads(done.stdout) == [201, [{"text": "from JavaScript"}], None]


def test_curl_works_against_its_address(bare: LocalSupabase) -> None:
    apikey = f"apikey: {bare.publishable_key}"
    authorization = f"Authorization: Bearer {bare.token('curl@example.com')}"
    address = f"{bare.url}/rest/v1/notes?select=text&text=eq.nothing"
    command = ["curl", "-fsS", "-H", apikey, "-H", authorization, address]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30)

    assert (done.stdout, done.stderr) == ("[]", "")


# --- the gateway


KEYS = {
    "publishable_key": "anon",
    "secret_key": "service_role",
    "anon_key": "anon",
    "service_key": "service_role",
}


def read_role(api: httpx.Client, apikey: str, token: str | None = None) -> str:
    """Return the role that a request with this key and token has, or the refusal's code."""
    headers = {"apikey": apikey}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    reply = api.post("/rest/v1/rpc/my_role", headers=headers).json()
    return reply if isinstance(reply, str) else reply["code"]


@pytest.mark.parametrize(("key", "role"), KEYS.items())
def test_a_key_speaks_for_its_role_alone_and_sent_as_a_token_too(
    bare: LocalSupabase, api: httpx.Client, key: str, role: str
) -> None:
    value = getattr(bare, key)

    assert read_role(api, value) == role
    assert read_role(api, value, token=value) == role


@pytest.mark.parametrize(("key", "role"), KEYS.items())
def test_a_client_of_the_stack_has_the_role_of_its_key(
    bare: LocalSupabase, key: str, role: str
) -> None:
    assert bare.client(getattr(bare, key)).rpc("my_role").execute().data == role


@pytest.mark.parametrize("key", KEYS)
def test_a_token_beside_a_key_wins(bare: LocalSupabase, api: httpx.Client, key: str) -> None:
    value = getattr(bare, key)

    assert read_role(api, value, token=bare.token("key@example.com")) == "authenticated"
    assert read_role(api, value, token=bare.anon_key) == "anon"


def test_a_newer_key_is_no_token_beside_another_key(bare: LocalSupabase, api: httpx.Client) -> None:
    assert read_role(api, bare.publishable_key, token=bare.secret_key) == "PGRST301"
    assert read_role(api, bare.anon_key, token=bare.secret_key) == "PGRST301"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (None, "No API key found in request"),
        ("", "Invalid API key"),
        ("nonsense", "Invalid API key"),
        ("unknown", "Invalid API key"),  # what the gateway itself calls a key that it does not know
        ("sb_publishable_AAAAAAAAAAAAAAAAAAAAAA_AAAAAAAA", "Unregistered API key"),
        ("sb_secret_AAAAAAAAAAAAAAAAAAAAAA_AAAAAAAA", "Unregistered API key"),
        ("a token", "Invalid API key"),
    ],
)
def test_a_request_without_a_known_key_is_refused_as_by_a_hosted_gateway(
    bare: LocalSupabase, api: httpx.Client, key: str | None, message: str
) -> None:
    token = bare.token("key@example.com")
    headers = {"Authorization": f"Bearer {token}"}
    if key is not None:
        headers["apikey"] = token if key == "a token" else key

    reply = api.get("/rest/v1/notes", headers=headers)

    body = reply.json()
    assert (reply.status_code, body["message"]) == (401, message)
    # Without a code: that is how a client tells it from a session that has ended.
    assert set(body) == {"message", "hint"}


def test_a_browser_is_refused_with_a_secret_key(bare: LocalSupabase, api: httpx.Client) -> None:
    browser = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}

    secret = api.get("/rest/v1/notes", headers={"apikey": bare.secret_key, **browser})
    public = api.post("/rest/v1/rpc/my_role", headers={"apikey": bare.publishable_key, **browser})

    assert (secret.status_code, public.json()) == (401, "anon")
    assert secret.json()["message"] == "Forbidden use of secret API key in browser"


def test_a_browser_may_call_it_from_another_origin(api: httpx.Client) -> None:
    asked = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "apikey,authorization,content-profile,prefer",
    }

    reply = api.options("/rest/v1/notes", headers=asked)

    assert reply.status_code == 200
    allowed = reply.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in asked["Access-Control-Request-Headers"].split(","))


def test_the_gateway_keeps_methods_and_headers(bare: LocalSupabase, api: httpx.Client) -> None:
    headers = {"apikey": bare.service_key, "Prefer": "count=exact", "Accept-Profile": "public"}

    head = api.head("/rest/v1/notes", headers=headers)
    wrong_schema = api.get("/rest/v1/notes", headers={**headers, "Accept-Profile": "private"})

    assert head.headers["Content-Range"].partition("/")[2].isdecimal()
    assert head.content == b""
    assert wrong_schema.json()["code"] == "PGRST106"


def test_twenty_megabytes_pass_both_ways(bare: LocalSupabase, api: httpx.Client) -> None:
    text = "0123456789" * 2_000_000
    headers = {"apikey": bare.service_key, "Prefer": "return=representation"}

    reply = api.post("/rest/v1/notes", headers=headers, json={"text": text})

    assert reply.status_code == 201
    assert reply.json()[0]["text"] == text


def test_thirty_two_clients_at_once_meet_no_failure(bare: LocalSupabase) -> None:
    options = {
        "base_url": bare.rest_url,
        "headers": {
            "apikey": bare.anon_key,
            "Authorization": f"Bearer {bare.token('many@example.com')}",
        },
        # Nothing is encrypted here, and loading certificates takes each client a while.
        "verify": False,
        "timeout": 60,
    }
    query = {"text": "eq.nothing"}

    def read_often(_: int) -> set[int]:
        with httpx.Client(**options) as client:
            return {client.get("/notes", params=query).status_code for _ in range(20)}

    with ThreadPoolExecutor(32) as pool:
        assert set().union(*pool.map(read_often, range(32))) == {200}


# --- the schema


def test_new_tables_are_seen_after_a_reload(bare: LocalSupabase) -> None:
    client = bare.service_client()
    for name in ("later_0", "later_1", "later_2"):
        bare.psql(f"create table {name} (); grant select on {name} to service_role;")
        bare.reload_schema()

        assert client.table(name).select("*").execute().data == []


def test_the_role_postgres_is_no_superuser_and_the_api_roles_own_nothing_by_default(
    bare: LocalSupabase,
) -> None:
    bare.psql(
        "create table given_to_nobody ();"
        "create function auth_is_reachable() returns uuid return auth.uid();"
    )
    rights = bare.psql(
        "select rolsuper, rolbypassrls from pg_roles where rolname = current_user;"
        "select has_table_privilege('service_role', 'given_to_nobody', 'select')"
    )

    assert rights.split() == ["f|t", "f"]
    with pytest.raises(LocalStackError, match="permission denied"):
        bare.psql("set role anon; select * from auth.users")


@pytest.mark.parametrize(
    ("key", "limit"), [("anon_key", "3s"), ("a token", "8s"), ("service_key", "8s")]
)
def test_statements_may_take_as_long_as_on_a_hosted_project(
    bare: LocalSupabase, api: httpx.Client, key: str, limit: str
) -> None:
    token = bare.token("slow@example.com") if key == "a token" else getattr(bare, key)
    headers = {"apikey": bare.publishable_key, "Authorization": f"Bearer {token}"}

    reply = api.post("/rest/v1/rpc/my_time_limit", headers=headers)

    assert reply.json() == limit


def test_a_statement_that_takes_longer_is_ended(bare: LocalSupabase, api: httpx.Client) -> None:
    reply = api.post("/rest/v1/rpc/sleep_long", headers={"apikey": bare.publishable_key})

    assert reply.json()["code"] == "57014"


def test_a_path_that_leads_nowhere_is_told_with_what_to_write(api: httpx.Client) -> None:
    reply = api.post("/rest/rest/v1/notes", json={})

    # With a hint, the SDK knows that a write was not carried out.
    assert (reply.status_code, sorted(reply.json())) == (404, ["hint", "message"])


# --- tokens


def test_tokens_are_those_of_a_signed_in_user(bare: LocalSupabase) -> None:
    token = bare.token("Ada@example.com", expires_in=60)

    (key,) = PyJWKSet.from_dict(bare._running.secrets.published_keys()).keys
    claims = jwt.decode(token, key, algorithms=["ES256"], audience="authenticated")
    assert jwt.get_unverified_header(token)["kid"] == key.key_id
    assert claims["sub"] == str(bare.user_id("ada@example.com"))
    assert (claims["role"], claims["email"]) == ("authenticated", "ada@example.com")
    assert claims["exp"] - claims["iat"] == 60


def test_an_expired_token_is_refused(bare: LocalSupabase) -> None:
    client = bare.client(bare.token("late@example.com", expires_in=-60))

    with pytest.raises(APIError, match="JWT expired"):
        client.table("notes").select("*").execute()


def test_a_token_signed_with_the_older_secret_is_good_as_well(
    bare: LocalSupabase, api: httpx.Client
) -> None:
    claims = {"role": "authenticated", "sub": str(uuid4())}
    signed = jwt.encode(claims, bare.jwt_secret, algorithm="HS256")
    forged = jwt.encode(claims, "x" * len(bare.jwt_secret), algorithm="HS256")

    assert read_role(api, bare.publishable_key, token=signed) == "authenticated"
    assert read_role(api, bare.publishable_key, token=forged) == "PGRST301"


@pytest.mark.parametrize("forge", ["published key as a secret", "no signature", "another key"])
def test_a_token_that_only_claims_to_be_signed_is_refused(
    bare: LocalSupabase, api: httpx.Client, forge: str
) -> None:
    (published,) = bare._running.secrets.published_keys()["keys"]
    claims = {"role": "service_role"}
    headers = {"kid": published["kid"]}
    if forge == "published key as a secret":
        token = jwt.encode(claims, published["x"], algorithm="HS256", headers=headers)
    elif forge == "no signature":
        token = jwt.encode(claims, None, algorithm="none", headers=headers)
    else:
        other = jwt.PyJWK(make_signing_key())
        token = jwt.encode(claims, other, algorithm="ES256", headers=headers)

    assert read_role(api, bare.publishable_key, token=token) == "PGRST301"


def test_a_rotated_key_signs_new_tokens_and_old_ones_stay_good_until_they_are_revoked(
    bare: LocalSupabase, api: httpx.Client
) -> None:
    first = bare.token("key@example.com")
    bare.rotate_signing_key()
    second = bare.token("key@example.com")
    roles = [read_role(api, bare.publishable_key, token=token) for token in (first, second)]

    bare.rotate_signing_key(revoke_old=True)

    assert roles == ["authenticated", "authenticated"]
    third = bare.token("key@example.com")
    tokens = (first, second, third, bare.anon_key)
    roles = [read_role(api, bare.publishable_key, token=token) for token in tokens]
    assert roles == ["PGRST301", "PGRST301", "authenticated", "anon"]
