"""The token of the moment is the one that is sent, also by the client that supabase makes."""

from typing import Any

import httpx
import pytest
import respx
import supabase

import training_versions as tv

from .conftest import URL, VERSION, Driven, Face, row

ROWS = "/training_package_versions"


def tokens(route: respx.Route) -> list[str]:
    return [call.request.headers["Authorization"] for call in route.calls]


def test_a_refreshed_token_is_used_at_the_next_call(
    face: Face, versions: Driven, server: respx.MockRouter
) -> None:
    route = server.get(ROWS).mock(httpx.Response(200, json=[row()]))

    face.client.auth("first")
    versions.get(VERSION)
    face.client.auth("second")
    versions.get(VERSION)

    assert tokens(route) == ["Bearer first", "Bearer second"]


def test_a_token_refreshed_between_two_tries_is_used_in_the_second(
    face: Face, versions: Driven, server: respx.MockRouter, pauses: list[float]
) -> None:
    def lose(request: httpx.Request) -> httpx.Response:
        face.client.auth("second")
        raise httpx.ReadTimeout("slow", request=request)

    replies = iter([lose, lambda request: httpx.Response(200, json=row())])
    route = server.post("/rpc/archive_training_version").mock(
        side_effect=lambda request: next(replies)(request)
    )
    face.client.auth("first")

    versions.archive(VERSION)

    assert tokens(route) == ["Bearer first", "Bearer second"]


def test_a_supabase_client_of_another_schema_is_asked_for_public(
    face: Face, server: respx.MockRouter
) -> None:
    route = server.get(ROWS).mock(httpx.Response(200, json=[row()]))
    client = supabase_client(face, schema="private")

    face.versions(client).get(VERSION)
    client.postgrest.auth("second")
    face.versions(client).get(VERSION)

    assert tokens(route) == ["Bearer anon-key", "Bearer second"]
    assert route.calls[0].request.headers["Accept-Profile"] == "public"


def supabase_client(face: Face, **options: Any) -> Any:
    if face.is_async:
        chosen = supabase.AsyncClientOptions(
            httpx_client=face.http, postgrest_client_retry=False, **options
        )
        return face.runner.run(
            supabase.create_async_client(URL.removesuffix("/rest/v1"), "anon-key", chosen)
        )
    chosen = supabase.ClientOptions(httpx_client=face.http, postgrest_client_retry=False, **options)
    return supabase.create_client(URL.removesuffix("/rest/v1"), "anon-key", chosen)


def test_a_client_of_the_other_face_is_refused(face: Face) -> None:
    other = tv.VersionRepository if face.is_async else tv.AsyncVersionRepository

    for client in (face.client, supabase_client(face)):
        with pytest.raises(
            tv.InvalidInputError,
            match=rf"{other.__name__} needs a supabase client.*PostgrestClient",
        ):
            other(client)
