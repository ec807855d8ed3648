"""Replies that are lost for real: a proxy in front of the server forwards the request and cuts the connection."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from training_versions import ConnectionFailedError, NotFoundError, OutcomeUnknownError, Version

ALWAYS = 10**9


class Cutter:
    """A TCP proxy to the stack that does to its next connections what it is told; one request each.

    `"lost"`: the request is carried out, the connection is closed instead of the reply. `"reset"`: the same, with a
    reset. `"torn"`: half of the reply arrives. `"dropped"`: the request is not even forwarded. `"late"`: the connection
    is closed, and the request is carried out when `release` is called. `"silent"`: carried out, and never answered.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._plan: list[str] = []
        self._lock = threading.Lock()
        self._held: list[bytes] = []
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.requests = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def cut(self, how: str, times: int = 1) -> None:
        self._plan = [how] * min(times, 50)
        self.requests = 0

    def release(self) -> None:
        for request in self._held:
            self._carry_out(request)
        self._held.clear()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for left in self._open:
            left.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._start(self._serve, self._listener.accept()[0])

    def _serve(self, client: socket.socket) -> None:
        request = self._receive(client)
        if not request:
            client.close()
            return
        with self._lock:
            how = self._plan.pop(0) if self._plan else "answered"
            self.requests += 1
        if how == "late":
            self._held.append(request)
        reply = b"" if how in ("late", "dropped") else self._carry_out(request)
        if how == "silent":
            self._open.append(client)
            return
        if how == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            client.sendall({"answered": reply, "torn": reply[: len(reply) // 2]}.get(how, b""))
        client.close()

    def _receive(self, client: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = client.recv(65536)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lines = [
            line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")
        ]
        length = next(
            (int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += client.recv(65536)
        return b"\r\n".join([*lines, b"Connection: close", b"", body])

    def _carry_out(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self._upstream)) as server:
            server.sendall(request)
            return b"".join(iter(lambda: server.recv(65536), b""))


@pytest.fixture
def cutter(stack: Any) -> Iterator[Cutter]:
    made = Cutter(int(stack.url.rpartition(":")[2]))
    yield made
    made.close()


@pytest.fixture
def far(connect: Any, ada: Any, cutter: Cutter) -> Any:
    """Ada again, behind the proxy; sends a write up to four times, without pausing."""
    return connect(ada, url=cutter.url)


def create(who: Any, package: Any, draft: Version, key: Any, snapshots: Any) -> Any:
    return who.versions.create_draft(package.id, **snapshots, change_summary="once", version_id=key)


def update(who: Any, package: Any, draft: Version, key: Any, snapshots: Any) -> Any:
    return who.versions.update_draft(
        draft.id, config={"r": 99}, expected_updated_at=draft.updated_at
    )


def publish(who: Any, package: Any, draft: Version, key: Any, snapshots: Any) -> Any:
    return who.versions.publish(draft.id, name="final", expected_updated_at=draft.updated_at)


def archive(who: Any, package: Any, draft: Version, key: Any, snapshots: Any) -> Any:
    return who.versions.archive(draft.parent_version_id)


def delete(who: Any, package: Any, draft: Version, key: Any, snapshots: Any) -> Any:
    return who.versions.delete_draft(draft.id, expected_updated_at=draft.updated_at)


def create_package(who: Any, package: Any, draft: Version, key: Any, snapshots: Any) -> Any:
    return who.packages.create("second", template_type="lora", config={"r": 1}, package_id=key)


def update_package(who: Any, package: Any, draft: Version, key: Any, snapshots: Any) -> Any:
    return who.packages.update(package.id, name="renamed", config={"r": 2})


def delete_package(who: Any, package: Any, draft: Version, key: Any, snapshots: Any) -> Any:
    return who.packages.delete(key)


WRITES = [create, update, publish, archive, delete, create_package, update_package, delete_package]
each_write = pytest.mark.parametrize("write", WRITES, ids=[write.__name__ for write in WRITES])


@pytest.fixture
def given(ada: Any, package: Any, published: Version, snapshots: Any) -> Callable[..., Any]:
    """What each write acts on; `given(write)` gives its arguments."""
    draft = ada.versions.create_draft(package.id, **snapshots, parent_version_id=published.id)

    def arguments(write: Any) -> tuple[Any, ...]:
        key = uuid4()
        if write is delete_package:
            ada.packages.create("to be deleted", template_type="lora", config={}, package_id=key)
            ada.versions.create_draft(key, **snapshots)
        return package, draft, key, snapshots

    return arguments


CUTS = [(write, how, times) for how, times in (("lost", 1), ("dropped", 2)) for write in WRITES]
CUTS += [
    (create, "lost", 3),
    (create, "reset", 1),
    (create, "torn", 1),
    (publish, "torn", 2),
    (delete, "reset", 3),
]


@pytest.mark.parametrize(
    ("write", "how", "times"), CUTS, ids=lambda part: getattr(part, "__name__", str(part))
)
def test_a_write_whose_reply_is_lost_has_the_effect_of_one(
    far: Any,
    ada: Any,
    given: Any,
    cutter: Cutter,
    write: Any,
    how: str,
    times: int,
    rows_of: Any,
) -> None:
    arguments = given(write)
    before = rows_of(ada.id)
    cutter.cut(how, times)

    result = write(far, *arguments)

    assert cutter.requests == times + 1
    after = rows_of(ada.id)
    assert after != before
    # Once more, with nothing lost: that changes nothing, and returns what the first returned.
    assert write(ada, *arguments) == result
    assert rows_of(ada.id) == after
    if write is create:
        package = arguments[0]
        assert result.version_number == 3
        assert [version.version_number for version in ada.versions.iterate(package.id)] == [3, 2, 1]
        assert ada.versions.next_version_number(package.id) == 4
        assert ada.packages.get(package.id).version_count == 3


def test_a_draft_without_an_identifier_of_the_users_own_is_made_once_as_well(
    far: Any, ada: Any, package: Any, snapshots: Any, cutter: Cutter
) -> None:
    cutter.cut("lost", 2)

    draft = far.versions.create_draft(package.id, **snapshots)

    assert cutter.requests == 3
    assert [version.id for version in ada.versions.iterate(package.id)] == [draft.id]
    assert ada.versions.next_version_number(package.id) == 2


@each_write
def test_when_every_reply_is_lost_the_outcome_is_unknown_and_the_same_call_again_settles_it(
    far: Any, ada: Any, given: Any, cutter: Cutter, write: Any, survives_pickle: Any
) -> None:
    arguments = given(write)
    cutter.cut("lost", ALWAYS)

    with pytest.raises(OutcomeUnknownError) as caught:
        write(far, *arguments)

    assert cutter.requests == 4
    error = caught.value
    assert (
        f"The reply to {error.operation} was lost, so it may or may not have happened"
        in error.message
    )
    assert "Make the same call again" in error.hint
    survives_pickle(error)

    cutter.cut("lost", 0)
    settled = write(far, *arguments)

    assert cutter.requests == 1
    assert write(ada, *arguments) == settled
    if write is create:
        assert ada.versions.count(arguments[0].id) == 3
        assert ada.versions.get(arguments[2]) == settled


def test_an_unknown_outcome_of_a_call_without_an_identifier_does_not_invite_to_a_second_draft(
    far: Any, ada: Any, package: Any, snapshots: Any, cutter: Cutter
) -> None:
    cutter.cut("lost", ALWAYS)

    with pytest.raises(OutcomeUnknownError) as caught:
        far.versions.create_draft(package.id, **snapshots)

    # The call that is safe to make again is the one with the identifier that was made up; so the error must tell it.
    (made,) = ada.versions.iterate(package.id)
    assert (
        f"version_id={str(made.id)!r}" in caught.value.hint.replace('"', "'")
        or str(made.id) in caught.value.hint
    )


def test_repeats_can_be_switched_off(
    connect: Any, ada: Any, cutter: Cutter, package: Any, snapshots: Any
) -> None:
    far = connect(ada, url=cutter.url, retry_pauses=())
    cutter.cut("lost")

    with pytest.raises(OutcomeUnknownError):
        far.versions.create_draft(package.id, **snapshots)

    assert cutter.requests == 1
    assert ada.versions.count(package.id) == 1


def test_pauses_are_as_long_as_they_are_set(
    connect: Any, ada: Any, cutter: Cutter, package: Any, snapshots: Any
) -> None:
    far = connect(ada, url=cutter.url, retry_pauses=(0.1, 0.3))
    cutter.cut("lost", 2)
    begun = time.monotonic()

    far.versions.create_draft(package.id, **snapshots)

    assert 0.4 <= time.monotonic() - begun < 3


def test_a_request_that_comes_later_than_its_repeat_has_no_effect_of_its_own(
    far: Any, ada: Any, package: Any, snapshots: Any, cutter: Cutter
) -> None:
    cutter.cut("late")

    draft = far.versions.create_draft(package.id, **snapshots)
    edited = ada.versions.update_draft(draft.id, config={"r": 99})
    cutter.release()

    assert cutter.requests == 2
    assert list(ada.versions.iterate(package.id, snapshots=True)) == [edited]


def test_a_deleted_draft_does_not_come_back_by_a_late_request(
    far: Any, ada: Any, package: Any, snapshots: Any, cutter: Cutter
) -> None:
    cutter.cut("late")

    draft = far.versions.create_draft(package.id, **snapshots)
    ada.versions.delete_draft(draft.id)
    cutter.release()

    assert ada.versions.count(package.id) == 0


def test_a_reply_that_takes_longer_than_the_timeout_is_lost_too(
    connect: Any, ada: Any, cutter: Cutter, package: Any, snapshots: Any
) -> None:
    far = connect(ada, url=cutter.url, timeout=0.5)
    cutter.cut("silent")

    draft = far.versions.create_draft(package.id, **snapshots)

    assert cutter.requests == 2
    assert [version.id for version in ada.versions.iterate(package.id)] == [draft.id]


def test_a_refusal_after_a_lost_reply_says_that_an_earlier_try_may_have_been_carried_out(
    far: Any, ada: Any, draft: Version, cutter: Cutter
) -> None:
    ada.versions.delete_draft(draft.id)
    cutter.cut("lost")

    with pytest.raises(NotFoundError) as caught:
        far.versions.publish(draft.id)

    assert cutter.requests == 2
    assert any("earlier try" in note for note in caught.value.__notes__)


def test_a_read_whose_reply_is_lost_changed_nothing(
    far: Any, draft: Version, cutter: Cutter
) -> None:
    for read in (
        lambda: far.versions.get(draft.id),
        lambda: far.versions.list(draft.package_id),
        lambda: list(far.versions.iterate()),
        lambda: far.packages.find(draft.package_id),
        lambda: far.versions.count(),
        lambda: far.versions.next_version_number(draft.package_id),
    ):
        cutter.cut("lost", ALWAYS)

        with pytest.raises(ConnectionFailedError) as caught:
            read()

        assert cutter.requests >= 1
        assert "nothing was changed" in caught.value.message


def test_when_nothing_listens_nothing_can_have_changed(
    connect: Any, ada: Any, package: Any, snapshots: Any, survives_pickle: Any
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        cut_off = connect(ada, url=url)

        for act in (
            lambda: cut_off.packages.create("bot", template_type="lora", config={}),
            lambda: cut_off.versions.create_draft(package.id, **snapshots),
            lambda: cut_off.versions.list(),
            lambda: list(cut_off.versions.iterate()),
        ):
            cut_off.sent.clear()

            with pytest.raises(ConnectionFailedError) as caught:
                act()

            assert len(cut_off.sent) == 1
            assert caught.value.message.startswith(
                f"No reply came to {caught.value.operation}, and nothing was changed"
            )
            assert caught.value.hint == "Check the project's URL and the network, and try again."
            survives_pickle(caught.value)


def test_many_lost_replies_at_once_burn_no_number(
    connect: Any, ada: Any, cutter: Cutter, package: Any, snapshots: Any
) -> None:
    callers = [connect(ada, url=cutter.url) for _ in range(4)]
    cutter.cut("lost", 6)

    with ThreadPoolExecutor(4) as threads:
        drafts = list(
            threads.map(
                lambda who: [who.versions.create_draft(package.id, **snapshots) for _ in range(3)],
                callers,
            )
        )

    numbers = sorted(draft.version_number for made in drafts for draft in made)
    assert numbers == list(range(1, 13))
    assert ada.versions.count(package.id) == 12
    assert ada.versions.next_version_number(package.id) == 13
