"""Real clients of both faces, whose requests respx answers: nothing leaves the process."""

from __future__ import annotations

import pytest
import respx

from tests.data import URL
from tests.faces import Face


@pytest.fixture(scope="session", params=["sync", "async"])
def face(request):
    face = Face(request.param)
    yield face
    face.close()


@pytest.fixture(scope="session")
def http(face):
    client = face.http()
    yield client
    face.close_http(client)


@pytest.fixture
def client(face, http):
    return face.postgrest(URL, http)


@pytest.fixture
def versions(face, client):
    """Versions whose writes are sent up to four times, without pausing."""
    return face.versions(client, retry_pauses=(0, 0, 0))


@pytest.fixture
def packages(face, client):
    """Packages whose writes are sent up to four times, without pausing."""
    return face.packages(client, retry_pauses=(0, 0, 0))


@pytest.fixture
def server():
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        yield router
