"""No request follows a redirect: the project's key would go along, to any host."""

from __future__ import annotations

import httpx
import pytest
import respx

from tests.data import PACKAGE, URL, VERSION
from training_versions import ConnectionFailedError

ELSEWHERE = "https://elsewhere.example.com/rest/v1"


LOCATIONS = (ELSEWHERE, URL.replace("http:", "https:"), f"{URL}/moved", "/moved")
OTHER_STATUSES = (301, 302, 303, 308)


@pytest.fixture
def follower(face):
    """A client whose HTTP client follows redirects, as the one that supabase-py makes does."""
    http = face.http(follow_redirects=True)
    yield face.postgrest(URL, http, apikey="the project's key")
    face.close_http(http)


@pytest.mark.parametrize(
    ("status", "location"),
    [(307, location) for location in LOCATIONS]
    + [(status, ELSEWHERE) for status in OTHER_STATUSES],
)
@pytest.mark.parametrize("operation", ["read", "write"])
def test_a_redirect_is_refused_and_nothing_is_sent_to_where_it_leads(
    face, follower, status, location, operation
):
    versions = face.versions(follower, retry_pauses=(0, 0))

    with respx.mock() as router:
        router.route().respond(status, headers={"Location": location})
        with pytest.raises(ConnectionFailedError) as caught:
            versions.list(PACKAGE) if operation == "read" else versions.publish(VERSION)
        assert len(router.calls) == 1

    assert f"redirects to {location}" in str(caught.value)
    assert "nothing was changed" in str(caught.value)


def test_the_client_of_the_user_goes_on_following_redirects(face, follower):
    face.versions(follower)

    assert follower.session.follow_redirects is True
    assert isinstance(follower.session, httpx.Client | httpx.AsyncClient)
