"""What the embedded stack answers to clients, keys and tokens."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import jwt
import pytest
from postgrest import APIError

from training_versions.local import LocalStackError, LocalSupabase

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def bare() -> Iterator[LocalSupabase]:
    """A stack of its own, with one table and no migrations."""
    with LocalSupabase(migrations=None) as running:
        running.psql(
            "create table notes (text text);"
            "grant select, insert on notes to authenticated, service_role;"
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
    arguments = [bare.url, bare.anon_key, bare.token("js@example.com")]

    done = subprocess.run(
        [*node, *arguments], capture_output=True, text=True, timeout=60, cwd=REPOSITORY
    )

    assert done.stderr == ""
    assert json.loads(done.stdout) == [201, [{"text": "from JavaScript"}], None]


def test_curl_works_against_its_address(bare: LocalSupabase) -> None:
    apikey = f"apikey: {bare.anon_key}"
    authorization = f"Authorization: Bearer {bare.token('curl@example.com')}"
    address = f"{bare.url}/rest/v1/notes?select=text&text=eq.nothing"
    command = ["curl", "-fsS", "-H", apikey, "-H", authorization, address]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30)

    assert (done.stdout, done.stderr) == ("[]", "")


# --- the gateway


@pytest.mark.parametrize(
    ("key", "token", "status"),
    [
        pytest.param("anon", None, 401, id="the-public-key-alone"),
        pytest.param("service", None, 200, id="the-secret-key-alone"),
        pytest.param("anon", "user", 200, id="a-token-beside-the-public-key-wins"),
        pytest.param("service", "anon", 401, id="a-token-beside-the-secret-key-wins"),
    ],
)
def test_a_key_alone_speaks_for_its_role_and_a_token_beside_it_wins(
    bare: LocalSupabase, api: httpx.Client, key: str, token: str | None, status: int
) -> None:
    known = {
        "anon": bare.anon_key,
        "service": bare.service_key,
        "user": bare.token("key@example.com"),
    }
    headers = {"apikey": known[key]}
    if token is not None:
        headers["Authorization"] = f"Bearer {known[token]}"

    assert api.get("/rest/v1/notes", headers=headers).status_code == status


def test_a_request_without_a_key_is_refused_as_by_a_hosted_gateway(api: httpx.Client) -> None:
    reply = api.get("/rest/v1/notes")

    assert (reply.status_code, reply.json()["message"]) == (401, "No API key found in request")


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


# --- tokens


def test_tokens_are_those_of_a_signed_in_user(bare: LocalSupabase) -> None:
    token = bare.token("Ada@example.com", expires_in=60)

    claims = jwt.decode(token, bare.jwt_secret, algorithms=["HS256"], audience="authenticated")
    assert claims["sub"] == str(bare.user_id("ada@example.com"))
    assert (claims["role"], claims["email"]) == ("authenticated", "ada@example.com")
    assert claims["exp"] - claims["iat"] == 60


def test_an_expired_token_is_refused(bare: LocalSupabase) -> None:
    client = bare.client(bare.token("late@example.com", expires_in=-60))

    with pytest.raises(APIError, match="JWT expired"):
        client.table("notes").select("*").execute()
