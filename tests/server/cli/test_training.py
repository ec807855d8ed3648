"""`train` and `cost`, through a pipe and on a terminal."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.server.cli.conftest import PROGRAM, TIMEOUT
from training_versions import ConnectionFailedError
from training_versions.cli import metrics
from training_versions.cli.context import Session
from training_versions.cli.output import Output

STEPS = '{"step": 1, "loss": 0.9}\n\n{"step": 2, "loss": 0.5, "lr": 1e-4}\n'


@pytest.fixture
def running(ada, bot):
    """The draft of the package, with a training run that is running."""
    draft = ada.versions.latest(bot.id)
    return ada.versions.start_training(draft.id)


class TestTrain:
    def test_a_run_is_started_logged_and_ended(self, run, validated, ada, bot) -> None:
        started = run("train", "start", "support-bot@2", "-q").out.strip()

        run("train", "log", "support-bot@2", "loss=0.9", "--step", 1, "--run", started)
        logged = validated("train", "log", "support-bot@2", '{"step": 2, "loss": 0.5}')
        ended = validated("train", "end", "support-bot@2", "--run", started)

        assert (logged["records"], logged["last_step"]) == (1, 2)
        assert (ended["id"], ended["status"]) == (started, "completed")
        points = ada.versions.metric_history(ended["version_id"], "loss")
        assert [(point.step, point.value) for point in points] == [(1, 0.9), (2, 0.5)]

    def test_starting_again_with_ones_own_id_returns_the_run(self, run, running) -> None:
        again = run("train", "start", "support-bot@2", "--run", running.id, "-q")

        assert again.out.strip() == str(running.id)
        assert run("train", "start", "support-bot@2").status == 5

    @pytest.mark.parametrize(
        ("arguments", "status"),
        [
            (["--status", "failed", "--reason", "out of memory"], "failed"),
            (["--status", "cancelled"], "cancelled"),
        ],
    )
    def test_a_run_ends_in_other_ways(
        self, validated, running, arguments: list[str], status: str
    ) -> None:
        ended = validated("train", "end", "support-bot@2", *arguments)

        assert ended["status"] == status
        (listed,) = validated("train", "runs", "support-bot@2")
        assert listed == ended

    def test_lines_of_stdin_are_recorded(self, run, validated, ada, running) -> None:
        logged = validated("train", "log", "support-bot@2", "-", stdin=STEPS)

        assert (logged["records"], logged["last_step"]) == (2, 2)
        names = ada.versions.metric_names(running.version_id)
        assert names == ["loss", "lr"]

    def test_a_line_is_recorded_when_it_comes(self, ada, running) -> None:
        command = [PROGRAM, "train", "log", "support-bot@2", "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as log:
            assert log.stdin is not None
            for step in (1, 2):
                log.stdin.write(f'{{"step": {step}, "loss": 1}}\n'.encode())
                log.stdin.flush()
                until = time.monotonic() + TIMEOUT
                while len(ada.versions.metric_history(running.version_id, "loss")) < step:
                    assert time.monotonic() < until
            # Nothing that was recorded is lost when somebody interrupts it.
            log.send_signal(signal.SIGINT)
            assert log.wait(TIMEOUT) == 130

    def test_a_line_without_metrics_is_named_and_loses_no_other(
        self, run, validated, ada, running
    ) -> None:
        lines = [
            "Loading weights …",
            '{"step": 1, "loss": 0.9}',
            '{"step": -1, "loss": 1}',
            '{"step": 2, "loss": NaN}',
            '{"step": 3}',
            "[1]",
            '{"step": 4, "loss": 0.4, "grad": Infinity}',
            '{"step": 9223372036854775808, "loss": 1}',
            '{"step": 5, "": 1}',
            '{"step": 6, "password": "correct horse battery"}',
            f'{{"step": 6, "loss": {"9" * 5000}}}',
            '{"step": 7, "loss": 0.1}',
        ]

        logged = run("train", "log", "support-bot@2", "-", stdin="\n".join(lines))

        assert logged.status == 2
        for number in (1, 3, 4, 5, 6, 8, 9, 10, 11):
            assert f"line {number} is left out: " in logged.err
        assert "line 11 is left out: a number has thousands of digits" in logged.err
        assert "line 1 is left out: it is not JSON (expecting value, column 1)\n" in logged.err
        assert "correct horse" not in logged.err
        assert "grad is not stored where it is NaN or infinite, first at step 4" in logged.err
        points = ada.versions.metric_history(running.version_id, "loss")
        assert [point.step for point in points] == [1, 4, 7]

    def test_lines_wait_for_a_network_that_is_down_and_none_is_lost(
        self, ada, running, cutter, monkeypatch
    ) -> None:
        def recorded() -> list[int]:
            points = ada.versions.metric_history(running.version_id, "loss")
            return [point.step for point in points]

        monkeypatch.setenv("SUPABASE_URL", cutter.url)
        command = [PROGRAM, "train", "log", "support-bot@2", "-", "--json"]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1
        ) as log:
            assert log.stdin is not None
            assert log.stderr is not None
            log.stdin.write('{"step": 1, "loss": 1}\n')
            until = time.monotonic() + TIMEOUT
            while recorded() != [1]:
                assert time.monotonic() < until
            cutter.go_down()
            log.stdin.write('{"step": 2, "loss": 1}\n{"step": 3, "loss": 1}\n')
            said = log.stderr.readline()
            assert recorded() == [1]
            cutter.cut("lost", times=5)
            cutter.come_up()
            out, _ = log.communicate(timeout=TIMEOUT)

        assert f"{cutter.url} cannot be reached" in said
        assert "Trying again in 1 s." in said
        assert (log.returncode, json.loads(out)["records"]) == (0, 3)
        assert recorded() == [1, 2, 3]

    def test_a_network_that_stays_away_ends_it_with_the_line(
        self, ada, running, cutter, monkeypatch
    ) -> None:
        monkeypatch.setenv("SUPABASE_URL", cutter.url)
        monkeypatch.setattr(metrics, "RETRY_SECONDS", 0.5)
        said = io.StringIO()
        logger = metrics.MetricLogger(Session(Output(err=said)), running.version_id, None)

        def lines() -> Iterator[bytes]:
            yield b'{"step": 1, "loss": 1}'
            cutter.go_down()
            yield b'{"step": 2, "loss": 1}'

        with pytest.raises(ConnectionFailedError):
            logger.record_lines(lines())

        assert logger.records == 1
        assert said.getvalue() == "stopped at line 2: 1 lines before it are recorded\n"

    @pytest.mark.parametrize(
        ("number", "status", "ending"),
        [(signal.SIGINT, 130, "\nerror: interrupted\n"), (signal.SIGTERM, 143, "")],
    )
    def test_a_signal_while_it_waits_names_the_line(
        self, running, cutter, monkeypatch, number, status, ending
    ) -> None:
        monkeypatch.setenv("SUPABASE_URL", cutter.url)
        command = [PROGRAM, "train", "log", "support-bot@2", "-"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stderr=pipe, text=True, bufsize=1) as log:
            assert log.stdin is not None
            assert log.stderr is not None
            log.stdin.write('{"step": 1, "loss": 1}\n{"loss": NaN}\n')
            assert "line 2 is left out" in log.stderr.readline()
            cutter.go_down()
            log.stdin.write('{"step": 3, "loss": 1}\n')
            assert "Trying again" in log.stderr.readline()
            log.send_signal(number)
            _, said = log.communicate(timeout=TIMEOUT)

        assert log.returncode == status
        assert said == f"stopped at line 3: 1 lines before it are recorded\n{ending}"

    def test_a_worker_whose_run_was_cancelled_learns_it(self, run, ada, running) -> None:
        ada.versions.cancel_training(running.version_id)

        logged = run("train", "log", "support-bot@2", "-", "--run", running.id, stdin=STEPS)

        assert logged.status == 5
        assert "stopped at line 1: 0 lines before it are recorded" in logged.err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["log", "loss"], "'loss' is no metric"),
            (["log", "loss=much"], "the value of 'loss' is no number: 'much'"),
            (["log", "=1"], "'=1' is no metric"),
            (["log", "a=1", "a=2"], "the metric 'a' is given twice"),
            (["log", '{"a": '], "it is not JSON"),
            (["log", '{"a": 1, "step": 1}', "--step", "1"], "the step is given twice"),
            (["log", "-", "--step", "1"], "--step goes with metrics that are arguments"),
            (["log", "a=1", "--step", "x"], "--step"),
            (["end", "--status", "failed"], "--reason is missing"),
            (["end", "--reason", "x"], "--reason goes with --status"),
            (["end", "--status", "odd"], "--status"),
            (["start", "--run", "mine"], "--run"),
        ],
    )
    def test_wrong_use_is_named_and_changes_nothing(
        self, run, ada, running, arguments: list[str], said: str
    ) -> None:
        part, *rest = arguments

        refused = run("train", part, "support-bot@2", *rest)

        assert refused.status == 2
        assert said in refused.err
        assert refused.out == ""
        assert ada.versions.runs(running.version_id)[0].status == "running"
        assert ada.versions.get(running.version_id).training_metrics in (None, {})

    def test_a_name_alone_is_no_version(self, run, bot) -> None:
        refused = run("train", "start", "support-bot")

        assert refused.status == 2
        assert "a version is meant" in refused.err


class TestCurve:
    @pytest.fixture
    def trained(self, ada, running):
        for step in range(1, 40):
            metrics = {"loss": 1 / step, "a\x1b[31m": step}
            ada.versions.record_metrics(running.version_id, metrics, step=step, run_id=running.id)
        return running

    def test_a_pipe_gets_plain_numbers(self, run, validated, trained) -> None:
        rows = [line.split("\t") for line in run("train", "curve", "support-bot@2", "loss").lines]

        assert len(rows) == 39
        assert (
            run("train", "curve", "support-bot@2", "--metric", "loss")
            .lines[2]
            .startswith("loss\t3\t")
        )
        assert rows[2][:3] == ["loss", "3", repr(1 / 3)]
        curves = {
            curve["metric"]: curve["points"]
            for curve in validated("train", "curve", "support-bot@2")
        }
        assert set(curves) == {"loss", "a\x1b[31m"}
        assert curves["loss"][2]["value"] == 1 / 3

    @pytest.mark.parametrize("columns", [40, 80, 120])
    def test_a_terminal_gets_a_drawing_that_fits(self, terminal, trained, columns: int) -> None:
        drawn = terminal("train", "curve", "support-bot@2", columns=columns)

        lines = drawn.plain.splitlines()
        assert max(map(len, lines)) <= columns
        assert "last 0.02564, lowest 0.02564 at step 39" in lines
        assert "a\\x1b[31m" in lines
        assert any("⠈" in line for line in lines)

    def test_a_metric_that_has_no_curve_is_not_found(self, run, trained) -> None:
        missing = run("train", "curve", "support-bot@2", "accuracy")

        assert missing.status == 3
        assert "has no curve of 'accuracy'" in missing.err
        assert "loss" in missing.err

    def test_a_version_that_was_never_trained_has_none(self, run, validated, bot) -> None:
        assert run("train", "curve", "support-bot@2").out == ""
        assert validated("train", "curve", "support-bot@2") == []
        assert validated("train", "runs", "support-bot@2") == []


class TestCost:
    def test_a_cost_is_recorded_once_for_each_key(self, run, validated, ada, bot) -> None:
        first = validated("cost", "record", "support-bot@2", "4.20", "--note", "8 h", "--key", "k")
        again = validated("cost", "record", "support-bot@2", "4.20", "--key", "k")
        other = run("cost", "record", "support-bot@2", "5", "--key", "k")

        assert first["id"] == again["id"]
        assert other.status == 5
        (listed,) = validated("cost", "list", "support-bot@2")
        assert (listed["amount"], listed["note"]) == ("4.20", "8 h")

    def test_a_part_of_the_budget_that_is_reached_is_told_in_every_form(self, run, bot) -> None:
        ids = run("cost", "record", "support-bot@2", "700", "-q")
        more = json.loads(run("cost", "record", "support-bot@2", "600", "--json").out)
        once = run("cost", "record", "support-bot@2", "0.01", "--alert-at", "104")

        assert "support-bot@2 has reached 50 % of its budget: 700.00 of 1,250.50" in ids.err
        assert more["alerts"] == [80, 100]
        assert "104 %" not in once.err
        assert once.lines[2] == "actual cost\t1300.01"

    def test_costs_of_a_package_are_listed_and_added_up(self, run, validated, ada, bot) -> None:
        for version, amount in (("support-bot@1", "1"), ("support-bot@2", "2.50")):
            run("cost", "record", version, amount)

        listed = [line.split("\t")[:2] for line in run("cost", "list", "support-bot").lines]
        total = validated("cost", "total", "support-bot")

        assert listed == [["support-bot@1", "1.00"], ["support-bot@2", "2.50"]]
        assert (total["versions"], total["actual_cost"]) == (2, "3.50")

    @pytest.mark.parametrize("amount", ["much", "1.234", "1e99", "", "NaN"])
    def test_a_wrong_amount_is_named(self, run, validated, bot, amount: str) -> None:
        refused = run("cost", "record", "support-bot@2", amount)

        assert refused.status == 2
        assert "amount" in refused.err
        assert validated("cost", "list", "support-bot@2") == []

    @pytest.mark.parametrize("columns", [40, 120])
    def test_a_terminal_shows_amounts_as_people_write_them(
        self, run, terminal, bot, columns: int
    ) -> None:
        run("cost", "record", "support-bot@2", "1234.50", "--note", "a \x1b[31m note")

        shown = terminal("cost", "list", "support-bot@2", columns=columns).plain

        assert "1,234.50" in shown
        assert "a \\x1b[31m note" in shown
        assert max(map(len, shown.splitlines())) <= columns
