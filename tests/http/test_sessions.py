"""The token of the moment is the one that is sent, also by the client that supabase makes."""

from __future__ import annotations

import httpx
import pytest
import respx

from tests.data import URL, VERSION, version_row
from training_versions import InvalidInputError

ROWS = "/training_package_versions"
PROJECT = URL.removesuffix("/rest/v1")


def tokens(route: respx.Route) -> list[str]:
    return [call.request.headers["Authorization"] for call in route.calls]


def test_a_refreshed_token_is_used_at_the_next_call(client, versions, server):
    route = server.get(ROWS).mock(httpx.Response(200, json=[version_row()]))

    client.auth("first")
    versions.get(VERSION)
    client.auth("second")
    versions.get(VERSION)

    assert tokens(route) == ["Bearer first", "Bearer second"]


def test_a_repeat_goes_out_with_the_token_that_the_call_began_with(client, versions, server):
    # Whoever signs in meanwhile on a shared client must not be the one who repeats the write.
    def lose_the_first(request: httpx.Request) -> httpx.Response:
        if route.call_count:
            return httpx.Response(200, json=version_row())
        client.auth("second")
        raise httpx.ReadTimeout("slow", request=request)

    route = server.post("/rpc/archive_training_version").mock(side_effect=lose_the_first)
    client.auth("first")

    versions.archive(VERSION)

    assert tokens(route) == ["Bearer first", "Bearer first"]


def test_a_supabase_client_of_another_schema_is_asked_for_public(face, http, server):
    route = server.get(ROWS).mock(httpx.Response(200, json=[version_row()]))
    client = face.supabase(PROJECT, "anon-key", http, schema="private")

    face.versions(client).get(VERSION)
    client.postgrest.auth("second")
    face.versions(client).get(VERSION)

    assert tokens(route) == ["Bearer anon-key", "Bearer second"]
    assert route.calls[0].request.headers["Accept-Profile"] == "public"


@pytest.mark.parametrize("name", ["VersionRepository", "PackageRepository"])
def test_what_is_no_client_of_the_same_face_is_refused_at_once(face, http, client, name):
    other = face.twin(name)
    of_supabase = face.supabase(PROJECT, "anon-key", http)

    for wrong in (client, of_supabase, None, PROJECT):
        with pytest.raises(InvalidInputError) as caught:
            other(wrong)

        assert caught.value.field == "client"
        assert f"{other.__name__} needs a supabase client" in str(caught.value)
        assert "PostgrestClient" in str(caught.value)
