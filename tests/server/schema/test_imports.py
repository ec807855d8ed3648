"""The functions that import versions and events, called by hand as a client of REST may."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.server.schema.rest import PACKAGES, SNAPSHOTS, VERSIONS

TIMESTAMP = "2024-01-31T12:00:00+00:00"


def version(**columns):
    usual = {"id": str(uuid4()), "version_number": 1, "name": "one", "status": "draft"}
    usual |= {"created_at": TIMESTAMP, "config_snapshot": {}, "model_snapshot": {}}
    return usual | {"dataset_snapshot": []} | columns


def event(version_id, **columns):
    usual = {"version_id": version_id, "version_number": 1, "kind": "created"}
    return usual | {"occurred_at": TIMESTAMP, "details": {}} | columns


def test_events_of_one_moment_that_say_nothing_of_their_source_are_all_imported_once(ada):
    package, draft = ada.package(), str(uuid4())
    events = [event(draft), event(draft, kind="published"), event(str(uuid4()))]

    counts = [
        ada.rpc("import_training_events", package_id=package["id"], events=events).rows
        for _ in range(2)
    ]

    assert counts == [3, 0]
    found = ada.select("training_version_events", package_id=f"eq.{package['id']}")
    assert all(row["source"].startswith("unknown/") for row in found)


@pytest.mark.parametrize("check_only", [None, False])
def test_versions_are_imported_unless_only_a_check_is_asked_for(ada, check_only):
    package = ada.package()

    arguments = {"versions": [version()], "check_only": check_only}
    answer = ada.rpc("import_training_versions", package_id=package["id"], **arguments)

    assert answer.status == 200
    assert ada.numbers(package) == [1]


def test_a_version_without_an_id_is_refused_by_that_name(ada):
    package = ada.package()

    versions = [version(id=None)]
    answer = ada.rpc("import_training_versions", package_id=package["id"], versions=versions)

    assert (answer.code, answer.detail) == ("TV306", {"field": "id"})


def test_a_version_is_restored_also_where_constraints_are_checked_at_once(ada, database):
    draft = ada.draft(ada.package())

    database.run(
        f"""
        set constraints all immediate;
        select public.restore_training_version('{draft["id"]}');
        """,
        user=ada.id,
    )

    assert ada.numbers({"id": draft["package_id"]}) == [1, 2]


def in_days(days):
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


# Moments that no reader can hold, or that lie in the future.
WRONG_MOMENTS = [
    "infinity",
    "-infinity",
    "20000-01-01T00:00:00+00:00",
    "0044-03-15 12:00:00+00 BC",
    "4000-01-01 00:00:00+00 BC",
    "9999-12-31T23:59:59+00:00",
    "2099-01-01T00:00:00+00:00",
    "0001-01-01T00:00:00+05:00",
]
LONGEST = 10**4300 - 1  # the longest integer that Python reads

WRONG_EVENTS = {
    **{f"occurred_at {at}": {"occurred_at": at} for at in WRONG_MOMENTS},
    "last_at infinity": {"last_at": "infinity"},
    "no moment": {"occurred_at": None},
    "a moment after tomorrow": {"occurred_at": in_days(2)},
    "the last edit before the first": {"last_at": "2024-01-31T11:59:59+00:00"},
    "a number that leaves no room": {"version_number": 2**31 - 1},
    "a number above those that may be brought": {"version_number": 10**9 + 1},
    "a number that is none": {"version_number": 2**31},
    "no number": {"version_number": None},
    "no kind": {"kind": None},
    "a kind that is none": {"kind": "invented"},
    "details that are a list": {"details": []},
    "a source that is too long": {"source": "x" * 501},
}


@pytest.mark.parametrize("wrong", WRONG_EVENTS)
def test_an_event_that_readers_cannot_hold_is_refused(ada, wrong):
    package, draft = ada.package(), str(uuid4())
    events = [event(draft), event(draft, **WRONG_EVENTS[wrong])]

    answer = ada.rpc("import_training_events", package_id=package["id"], events=events)

    assert answer.status == 400
    assert answer.code in ("TV306", "22003", "23514")
    assert ada.select("training_version_events", package_id=f"eq.{package['id']}") == []
    assert ada.next_number(package).rows == 1


def test_the_service_role_imports_no_event_that_readers_cannot_hold(ada, backend):
    package = ada.package()
    events = [event(str(uuid4()), occurred_at="infinity")]

    answer = backend.rpc("import_training_events", package_id=package["id"], events=events)

    assert answer.code == "TV306"


def test_events_at_the_bounds_are_imported(ada):
    package = ada.package()
    events = [
        event(str(uuid4()), occurred_at="0001-01-01T00:00:00+00:00", last_at=in_days(0.9)),
        event(str(uuid4()), version_number=10**9),
    ]

    answer = ada.rpc("import_training_events", package_id=package["id"], events=events)

    assert answer.rows == 2
    assert ada.draft(package)["version_number"] == 10**9 + 1


def test_an_imported_event_with_a_number_below_1_moves_no_number(ada):
    package = ada.package()
    events = [event(str(uuid4()), version_number=-5)]

    answer = ada.rpc("import_training_events", package_id=package["id"], events=events)

    assert answer.rows == 1
    assert ada.draft(package)["version_number"] == 1


@pytest.mark.parametrize("lacking", ["id", "package_id", "source"])
def test_an_event_never_counts_as_one_of_this_project(ada, lacking):
    package = ada.package()
    parent, published = ada.draft(package), ada.published(package)
    whole = {"id": 1, "package_id": str(uuid4()), "source": "there/1"}
    forged = event(published["id"], kind="imported", details={"from_version_id": parent["id"]})
    events = [forged | whole | {lacking: None}, forged | {"kind": "edited", "source": ""}]

    ada.rpc("import_training_events", package_id=package["id"], events=events)
    again = [published | {"parent_version_id": parent["id"]}]
    ada.rpc("import_training_versions", package_id=package["id"], versions=again)

    found = ada.select("training_version_events", version_id=f"eq.{published['id']}")
    assert sorted(row["kind"] for row in found if row["source"] is None) == ["created", "published"]
    assert ada.see(published)["parent_version_id"] is None


def test_an_imported_event_of_tomorrow_swallows_no_later_edit(ada):
    package = ada.package()
    draft = ada.draft(package)
    theirs = event(draft["id"], kind="edited", occurred_at=in_days(0.9), actor_id=ada.id)
    ada.rpc("import_training_events", package_id=package["id"], events=[theirs])

    ada.patch(draft, change_summary="edited")

    kinds = ada.select(
        "training_version_events", version_id=f"eq.{draft['id']}", kind="eq.edited", select="source"
    )
    assert {"source": None} in kinds


MOMENTS = ("created_at", "published_at", "training_started_at", "training_completed_at")
WRONG_VERSIONS = {
    **{f"created_at {at}": {"created_at": at} for at in WRONG_MOMENTS},
    **{f"{column} infinity": {column: "infinity"} for column in MOMENTS},
    "training that ends before it starts": {
        "training_status": "completed",
        "training_started_at": TIMESTAMP,
        "training_completed_at": "2024-01-31T11:59:59+00:00",
    },
    "a number that leaves no room": {"version_number": 2**31 - 1},
    "a number above those that may be brought": {"version_number": 10**9 + 1},
    "the number 0": {"version_number": 0},
}


@pytest.mark.parametrize("wrong", WRONG_VERSIONS)
def test_a_version_that_readers_cannot_hold_is_refused(ada, wrong):
    package = ada.package()
    given = version(status="published", published_at=TIMESTAMP) | WRONG_VERSIONS[wrong]

    answer = ada.rpc("import_training_versions", package_id=package["id"], versions=[given])

    assert (answer.status, answer.code) == (400, "TV306")
    assert ada.numbers(package) == []


@pytest.mark.parametrize("column", MOMENTS)
def test_the_service_role_imports_no_version_that_readers_cannot_hold(ada, backend, column):
    package = ada.package()
    given = version(status="published", published_at=TIMESTAMP) | {column: "infinity"}

    answer = backend.rpc("import_training_versions", package_id=package["id"], versions=[given])

    assert answer.code == "TV306"
    assert ada.numbers(package) == []


def test_a_run_that_a_version_implies_never_ends_before_it_starts(ada):
    package = ada.package()
    given = version(
        status="published",
        published_at=TIMESTAMP,
        training_status="failed",
        training_started_at="2025-01-31T12:00:00+00:00",
    )

    ada.rpc("import_training_versions", package_id=package["id"], versions=[given])

    (run,) = ada.select("training_runs", version_id=f"eq.{given['id']}")
    assert run["ended_at"] == run["started_at"]


# Written as text: Python itself does not write such a number.
LONG = "1" + "0" * 5000


def number_in(caller, table_or_function, body, method="POST", **params):
    """Send JSON in which `0.5` stands for a number of 5,000 digits."""
    text = json.dumps(body).replace("0.5", LONG)
    return caller.send_text(method, table_or_function, text, params=params)


class TestANumberOf5000Digits:
    """Python reads no such number, and with it none of the rows of the same reply."""

    @pytest.mark.parametrize(
        "column", ["config_snapshot", "model_snapshot", "dataset_snapshot", "training_metrics"]
    )
    def test_is_refused_in_what_is_written_directly(self, ada, actor, column):
        package = ada.package()
        draft = ada.draft(package)
        content = {"a": {"b": [0.5]}}
        changes = {column: [content] if column == "dataset_snapshot" else content}
        row = {"package_id": package["id"], "status": "draft", **SNAPSHOTS, **changes}

        answers = [
            number_in(actor, VERSIONS, row),
            number_in(actor, VERSIONS, changes, "PATCH", id=f"eq.{draft['id']}"),
        ]

        assert [answer.code for answer in answers] == ["TV306"] * 2
        assert [answer.detail for answer in answers] == [{"field": column}] * 2
        assert ada.see(draft) == draft

    def test_is_refused_in_a_package(self, ada):
        package = ada.package()
        row = {"name": "x", "template_type": "x", "config_json": {"a": 0.5}, "user_id": ada.id}

        assert number_in(ada, PACKAGES, row).code == "TV306"
        assert number_in(ada, PACKAGES, row, "PATCH", id=f"eq.{package['id']}").code == "TV306"
        assert ada.see_package(package) == package

    @pytest.mark.parametrize("where", ["details", "snapshot", "training_metrics", "metrics"])
    def test_is_refused_in_an_import_and_in_metrics(self, ada, where):
        package, draft = ada.package(), ada.draft(ada.package())
        calls = {
            "details": (
                "import_training_events",
                "events",
                [event(uuid4().hex, details={"a": 0.5})],
            ),
            "snapshot": (
                "import_training_versions",
                "versions",
                [version(config_snapshot={"a": 0.5})],
            ),
            "training_metrics": (
                "import_training_versions",
                "versions",
                [version(training_metrics={"a": -0.5})],
            ),
            "metrics": ("record_version_metrics", "metrics", {"loss": 0.5}),
        }
        function, argument, value = calls[where]
        whose = {"p_package_id": package["id"]}
        if where == "metrics":
            whose = {"p_version_id": draft["id"]}

        answer = number_in(ada, f"rpc/{function}", {**whose, f"p_{argument}": value})

        assert answer.code == "TV306"
        assert (ada.numbers(package), ada.see(draft)) == ([], draft)

    def test_one_digit_less_than_python_refuses_is_stored(self, ada):
        config = {"long": LONGEST, "short": -LONGEST, "small": 1e-300}

        assert ada.draft(ada.package(), config_snapshot=config)["config_snapshot"] == config
