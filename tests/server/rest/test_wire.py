"""What is on the wire: bodies that are too large or not JSON, methods, and replies without HTML."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator

import pytest

from tests.server.rest.conftest import PREFIX, Api, Person, Running, slug
from tests.server.rest.servers import Server, serve
from training_versions.local import LocalSupabase
from training_versions.rest import create_app

LIMIT = 16 * 1024 * 1024
MEGABYTE = b" " * 1024 * 1024


@pytest.fixture(scope="module")
def server(stack: LocalSupabase) -> Iterator[Server]:
    with serve(stack) as running:
        yield running


class Wire:
    """A connection of its own, on which bytes are sent as they are."""

    def __init__(self, server: Server, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self._token = token

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def begin(self, *headers: str, method: str = "POST", path: str = "/packages") -> None:
        """Send all of a request but its body."""
        lines = [f"{method} {PREFIX}{path} HTTP/1.1", "Host: api"]
        lines += [f"Authorization: Bearer {self._token}", "Content-Type: application/json"]
        self._socket.sendall("\r\n".join([*lines, *headers, "", ""]).encode())

    def send_until_refused(self, part: bytes, most: int) -> int:
        """Send a part again and again until the server has answered; return how many times."""
        for sent in range(most):
            self._socket.setblocking(False)
            try:
                if self._socket.recv(1, socket.MSG_PEEK):
                    return sent
            except BlockingIOError:
                pass
            finally:
                self._socket.settimeout(20)
            try:
                self._socket.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                return sent
        return most

    def read(self) -> tuple[int, dict[str, str], bytes]:
        """Read a whole answer, after which the server closes the connection."""
        received = b""
        while part := self._socket.recv(65536):
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(first.split()[1]), headers, body


class TestLargeBodies:
    def test_one_that_says_its_size_is_refused_before_it_is_sent(
        self, server: Server, person: Callable[[], Person]
    ) -> None:
        with Wire(server, person().token) as wire:
            wire.begin(f"Content-Length: {LIMIT + 1}")

            status, headers, body = wire.read()

        assert (status, headers["content-type"]) == (413, "application/problem+json")
        assert headers["connection"] == "close"
        assert json.loads(body)["type"] == "tag:training-versions,2026:body-too-large"

    @pytest.mark.parametrize("path", ["/versions", "/versions/1/archive", "/versions?limit=1"])
    def test_it_is_refused_wherever_it_is_sent(
        self, server: Server, person: Callable[[], Person], path: str
    ) -> None:
        with Wire(server, person().token) as wire:
            wire.begin(f"Content-Length: {LIMIT + 1}", path=path)

            assert wire.read()[0] == 413

    def test_one_in_chunks_is_refused_at_the_limit(
        self, server: Server, person: Callable[[], Person]
    ) -> None:
        before = server.process.memory_info().rss
        with Wire(server, person().token) as wire:
            wire.begin("Transfer-Encoding: chunked")

            chunk = b"100000\r\n" + MEGABYTE + b"\r\n"
            sent = wire.send_until_refused(chunk, 200)

        assert 16 <= sent <= 40  # what is under way in the sockets' buffers, besides
        assert server.process.memory_info().rss - before < 6 * LIMIT

    def test_one_at_the_limit_is_taken(self, ada: Api) -> None:
        body = json.dumps({"name": "bot", "template_type": "lora", "config": {}}).encode()

        statuses = [
            ada(
                "POST",
                "/packages",
                content=body + b" " * (LIMIT - len(body) + more),
                headers={"Content-Type": "application/json"},
            ).status_code
            for more in (0, 1)
        ]

        assert statuses == [201, 413]

    def test_the_limit_can_be_set(self, stack: LocalSupabase, person: Callable[[], Person]) -> None:
        running = Running(create_app(url=stack.url, key=stack.publishable_key, max_body=100))
        api = Api(running, person())
        try:
            api.package("short")
            answer = api.post("/packages", {"name": "x" * 100})
        finally:
            running.close()

        assert (answer.status_code, slug(answer)) == (413, "body-too-large")
        assert "100 bytes" in answer.json()["detail"]


BODY = '{"name": "bot", "template_type": "lora", "config": {}}'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 201),
        ({"Content-Type": "application/json; charset=UTF-8"}, 201),
        ({"Content-Type": "APPLICATION/JSON"}, 201),
        ({}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "application/xml"}, 415),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Content-Type": "nonsense"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
    ],
)
def test_a_body_is_json_in_utf_8(ada: Api, headers: dict[str, str], status: int) -> None:
    answer = ada("POST", "/packages", content=BODY, headers=headers)

    assert answer.status_code == status
    assert status == 201 or slug(answer) == "unsupported-media-type"


@pytest.mark.parametrize("verb", ["archive", "training/runs"])
def test_a_body_that_would_be_ignored_is_refused(ada: Api, verb: str) -> None:
    path = f"/versions/{ada.published()['id']}/{verb}"

    answer = ada.post(path, {"run_id": "mine"})

    assert (answer.status_code, slug(answer)) == (422, "invalid-input")
    assert "no body" in answer.json()["detail"]
    assert ada.post(path, {}).status_code in (200, 201)


@pytest.mark.parametrize("path", ["/packages", "/versions/{version}/archive"])
def test_a_missing_body_is_told_as_missing(ada: Api, path: str) -> None:
    path = path.format(version=ada.published()["id"])

    answer = ada("POST", path)

    if path == "/packages":
        assert answer.json()["errors"] == [{"detail": "The request has no body", "pointer": "#"}]
    else:
        assert answer.status_code == 200


@pytest.mark.parametrize("verb", ["publish", "restore", "undeploy"])
def test_a_body_that_need_not_be_there_may_be_missing_or_null(ada: Api, verb: str) -> None:
    version = ada.published()
    for content in (b"", b"null", b"{}"):
        answer = ada(
            "POST",
            f"/versions/{version['id']}/{verb}",
            content=content,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in (200, 201)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{"name": NaN}', (1, 10)),
        (b'{"name": "a",\n "name": "b"}', (2, 2)),
        (b'{"name": ', (1, 10)),
    ],
)
def test_what_is_not_json_is_told_with_its_place(
    ada: Api, content: bytes, place: tuple[int, int]
) -> None:
    answer = ada("POST", "/packages", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, slug(answer)) == (400, "not-json")
    assert (answer.json()["line"], answer.json()["column"]) == place


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/packages", "GET, HEAD, POST, OPTIONS"),
        ("/packages/{id}", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("/versions/{id}", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("/versions/{id}/publish", "POST, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_path_answers_every_method(ada: Api, path: str, allowed: str) -> None:
    path = path.replace("{id}", "11111111-1111-4111-8111-111111111111")
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "HEAD", "PURGE"):
        answer = ada(method, path)
        if method == "OPTIONS":
            assert (answer.status_code, answer.content) == (204, b"")
            assert answer.headers["Allow"] == allowed
        elif method not in allowed.split(", "):
            assert answer.status_code == 405, method
            if method != "HEAD":
                assert slug(answer) == "method-not-allowed"
            assert answer.headers["Allow"]
            assert method == "PURGE" or answer.headers["Allow"] == allowed


def test_head_has_the_headers_of_get_and_no_body(ada: Api) -> None:
    version = ada.published()
    for path in (f"/versions/{version['id']}", "/versions?limit=1", "/health", "/versions/1"):
        head, get = ada("HEAD", path), ada.get(path)
        assert head.content == b""
        assert (head.status_code, head.headers) == (get.status_code, get.headers)


def test_no_reply_is_taken_for_another_type_than_it_says(ada: Api) -> None:
    path = f"/versions/{ada.draft().json()['id']}"
    tag = ada.get(path).headers["ETag"]

    answers = {
        200: ada.get(path),
        201: ada.draft(),
        204: ada("DELETE", f"/versions/{ada.draft().json()['id']}"),
        304: ada.get(path, headers={"If-None-Match": tag}),
        400: ada.post("/packages", headers={"Content-Type": "application/json"}, content=b"{"),
        401: Api(ada.running, None).get(path),
        404: ada.get("/nothing"),
        405: ada("PURGE", path),
        412: ada.put(path, {"name": "late"}, headers={"If-Match": '"old"'}),
        413: ada("POST", "/packages", headers={"Content-Length": str(LIMIT + 1)}),
        422: ada.get("/versions?limit=0"),
    }

    assert [answer.status_code for answer in answers.values()] == list(answers)
    more = [ada("HEAD", path), ada("OPTIONS", path), ada.get("/health"), ada.get("/openapi.json")]
    for answer in (*answers.values(), *more):
        assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"], answer


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/versions/", "/docs", "/redoc", "/../../etc/passwd"]
)
def test_an_unknown_path_is_a_problem_and_nothing_is_html(ada: Api, path: str) -> None:
    answer = ada.get(path)

    assert (answer.status_code, slug(answer)) == (404, "not-found")
