"""`watch`: each event once, none left out, and a quiet end."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.server.cli.conftest import PROGRAM, Ran, Terminal
from training_versions.cli.follow import Follower

TIMEOUT = 60


class Watcher:
    """A `watch` that runs, with what it has printed so far."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "watch", *map(str, arguments), "--interval", "0.1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._more:
                self.lines.append(line.rstrip("\n"))
                self._more.notify()

    def wait_for(self, count: int) -> list[str]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.lines) >= count, TIMEOUT), self.lines
            return self.lines[:]

    def interrupt(self) -> Ran:
        self._process.send_signal(signal.SIGINT)
        _, err = self._process.communicate(timeout=TIMEOUT)
        return Ran(self._process.returncode, "\n".join(self.lines), err)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(TIMEOUT)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture
def watch() -> Iterator[Callable[..., Watcher]]:
    started: list[Watcher] = []

    def start(*arguments: object) -> Watcher:
        started.append(Watcher(*arguments))
        return started[-1]

    yield start
    for watcher in started:
        watcher.kill()


def test_events_are_printed_as_they_come_and_ctrl_c_ends_quietly(watch, ada, bot) -> None:
    watcher = watch("support-bot", "--lines", "1")
    (created,) = watcher.wait_for(1)
    draft = ada.versions.latest(bot.id)

    ada.versions.record_cost(draft.id, "700", note="GPU", key="k")
    _, cost, alert = watcher.wait_for(3)
    ended = watcher.interrupt()

    assert created.split("\t")[1:3] == ["support-bot@2", "created"]
    assert cost.split("\t")[1:3] == ["support-bot@2", "cost_recorded"]
    assert json.loads(alert.split("\t")[4])["share"] == 50
    assert (ended.status, ended.err) == (130, "")


def test_a_project_that_goes_away_for_a_while_is_said_and_nothing_is_missed(
    watch, ada, bot, cutter, monkeypatch
) -> None:
    monkeypatch.setenv("SUPABASE_URL", cutter.url)
    watcher = watch("support-bot", "--lines", "1")
    watcher.wait_for(1)
    draft = ada.versions.latest(bot.id)

    cutter.go_down()
    ada.versions.publish(draft.id)
    time.sleep(3)  # longer than the SDK repeats a read
    cutter.come_up()
    _, published = watcher.wait_for(2)
    ended = watcher.interrupt()

    assert published.split("\t")[1:3] == ["support-bot@2", "published"]
    assert ended.status == 130
    assert set(ended.err.splitlines()) == {
        f"{cutter.url} cannot be reached, and nothing was changed: "
        "ConnectError: [Errno 111] Connection refused. Trying again."
    }


def test_json_is_an_event_a_line(watch, ada, bot, schema) -> None:
    import jsonschema_rs

    watcher = watch("support-bot@2", "--json")

    (line,) = watcher.wait_for(1)

    part = {"$defs": schema["$defs"], **schema["properties"]["watch"]}
    jsonschema_rs.validate(part, json.loads(line))


def test_only_what_was_asked_for_is_printed(watch, ada, bot) -> None:
    other = ada.package("sales-bot")
    watcher = watch("support-bot", "--lines", "1", "--kind", "published", "-q")
    watcher.wait_for(1)
    draft = ada.versions.latest(bot.id)

    ada.published(other)
    ada.versions.publish(draft.id)
    numbers = watcher.wait_for(2)

    published = ada.versions.history(package_id=bot.id, kind="published", order="oldest")
    assert numbers == [str(event.id) for event in published]


def test_a_terminal_gets_a_line_for_people(ada, bot) -> None:
    shown = Terminal("watch", "support-bot", "--lines", "2", columns=120)

    shown.wait_for("support-bot@2  created  by you")
    shown.type("\x03")
    ended = shown.finish()

    assert ended.status == 130
    assert "Traceback" not in ended.out


@pytest.mark.parametrize(
    "arguments", [["nobody"], ["--interval", "0"], ["--lines", "-1"], ["--kind", "odd"]]
)
def test_wrong_use_is_refused_at_once(run, ada, arguments: list[str]) -> None:
    refused = run("watch", *arguments)

    assert refused.status in (2, 3)
    assert refused.out == ""


class TestFollower:
    """Which events a look returns."""

    def test_an_event_that_was_written_late_is_not_missed(self, stack, ada, bot) -> None:
        follower = Follower(ada.versions, {"package_id": bot.id})
        follower.begin(0)
        assert follower.again() == []

        # As if a transaction that began before the newest event had ended after it was read.
        stack.psql(
            "insert into training_version_events "
            "(package_id, version_id, version_number, owner_id, kind, occurred_at) "
            "select package_id, version_id, version_number, owner_id, 'edited', "
            "occurred_at - interval '30 seconds' "
            "from training_version_events where package_id = :'package' order by id limit 1;",
            admin=True,
            package=str(bot.id),
        )

        assert [str(event.kind) for event in follower.again()] == ["edited"]
        assert follower.again() == []

    def test_an_edit_that_is_folded_into_an_event_is_returned_again(self, ada, bot) -> None:
        follower = Follower(ada.versions, {"package_id": bot.id})
        follower.begin(0)
        draft = ada.versions.latest(bot.id)

        moments = []
        for rank in (32, 64):
            ada.versions.update_draft(draft.id, config={"r": rank})
            (edited,) = follower.again()
            moments.append(edited.last_at or edited.occurred_at)

        assert moments == sorted(set(moments))
        assert follower.again() == []

    def test_many_writers_are_all_seen_once(self, ada, bot) -> None:
        follower = Follower(ada.versions, {"package_id": bot.id, "kind": "cost_recorded"})
        follower.begin(0)
        draft = ada.versions.latest(bot.id)

        def record(writer: int) -> None:
            for number in range(10):
                ada.versions.record_cost(draft.id, "0.01", key=f"{writer}/{number}")

        writers = [threading.Thread(target=record, args=[writer]) for writer in range(3)]
        for writer in writers:
            writer.start()
        seen: list[int] = []
        until = time.monotonic() + TIMEOUT
        while len(seen) < 30 and time.monotonic() < until:
            seen += [event.id for event in follower.again()]
        for writer in writers:
            writer.join(TIMEOUT)

        assert len(seen) == len(set(seen)) == 30

    def test_it_begins_with_the_newest_in_order(self, ada, bot) -> None:
        begun = Follower(ada.versions, {"package_id": bot.id}).begin(2)

        newest = list(ada.versions.history(package_id=bot.id, limit=2))
        assert begun == newest[::-1]

    def test_without_events_it_begins_empty_and_sees_the_first(self, ada) -> None:
        package = ada.package("quiet")
        follower = Follower(ada.versions, {"package_id": package.id})

        assert follower.begin(10) == []
        ada.draft(package)
        assert [str(event.kind) for event in follower.again()] == ["created"]
