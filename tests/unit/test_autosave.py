"""The autosaver's decisions, without threads, tasks, a clock or a server: the test is all of them."""

from __future__ import annotations

import copy
import pickle
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pydantic import BaseModel, Field, model_validator

from training_versions import (
    ConflictError,
    ConnectionFailedError,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
    UnavailableError,
    UnreadableReplyError,
    Version,
)
from training_versions.autosave._state import (
    Autosave,
    AutosaveConflictError,
    changed_paths,
    overlap,
    pointers,
    same,
)
from training_versions.operations._calls import Rpc, VersionCalls
from training_versions.snapshots.codec import Codec

DRAFT = uuid.UUID(int=7)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EDITED = ConflictError("edited", code="TV201")


class Project:
    """A database with one draft, which follows the rules of `update_training_draft`, and a clock that is set."""

    def __init__(self, **types: Any) -> None:
        self.row: dict[str, Any] = {
            **dict.fromkeys(Version.model_fields),
            **{
                "id": str(DRAFT),
                "package_id": str(uuid.UUID(int=1)),
                "version_number": 3,
                "name": "bot-v3",
            },
            **{"status": "draft", "created_at": BEGIN, "updated_at": BEGIN, "is_deployed": False},
            **{
                "config_snapshot": {"r": 8, "lora": {"alpha": 16}},
                "model_snapshot": {},
                "dataset_snapshot": [],
            },
        }
        self.now = 100.0
        self.requests: list[dict[str, Any]] = []
        self.fails: list[
            BaseException
        ] = []  # what the next updates end with, without being carried out
        self.loses: list[
            BaseException
        ] = []  # what the next updates end with, though they are carried out
        self.meanwhile: Any = None  # what happens while the next update is under way
        self.before_read: Any = None  # what happens just before the next read
        self.reads = 0
        self.calls: VersionCalls[Any, Any, Any] = VersionCalls(
            Codec("config", "config_snapshot", types.get("config")),
            Codec("model", "model_snapshot", types.get("model")),
            Codec("dataset", "dataset_snapshot", types.get("dataset"), many=True),
        )

    def open(self) -> Autosave[Any, Any, Any]:
        return Autosave(self.calls, self.version(), 30.0, lambda: self.now)

    def version(self) -> Version[Any, Any, Any]:
        done: Any = self.calls.get(DRAFT).read([self.row], None)
        return done.value

    def edit(self, **changes: Any) -> None:
        """Somebody else's edit."""
        self.row = {
            **self.row,
            **changes,
            "updated_at": self.row["updated_at"] + timedelta(microseconds=1),
        }

    def run(
        self, core: Autosave[Any, Any, Any], steps: Any = None, *, everything: bool = False
    ) -> None:
        steps = steps or core.save(everything=everything)
        reply, error = None, None
        while True:
            try:
                call = steps.throw(error) if error else steps.send(reply)
            except StopIteration:
                return
            reply, error = None, None
            try:
                reply = self._update(call) if isinstance(call, Rpc) else self._rows(call)
            except BaseException as exc:
                error = exc

    def _rows(self, call: Any) -> Any:
        self.reads += 1
        if self.before_read:
            action, self.before_read = self.before_read, None
            action()
        return call.read([copy.deepcopy(self.row)] if self.row else [], None).value

    def _update(self, call: Any) -> Any:
        params = call.params
        self.requests.append(params["p_changes"])
        if self.meanwhile:
            action, self.meanwhile = self.meanwhile, None
            action()
        if self.fails:
            raise self.fails.pop(0)
        if any(not same(self.row[column], value) for column, value in params["p_changes"].items()):
            if self.row["status"] != "draft":
                raise ConflictError("version 3 is published", code="TV202")
            if datetime.fromisoformat(params["p_expected_updated_at"]) != self.row["updated_at"]:
                raise EDITED
            self.edit(**params["p_changes"])
        if self.loses:
            raise self.loses.pop(0)
        return call.read(copy.deepcopy(self.row))


@pytest.fixture
def project() -> Project:
    return Project()


@pytest.fixture
def core(project: Project) -> Autosave[Any, Any, Any]:
    return project.open()


def change(core: Autosave[Any, Any, Any], **named: Any) -> None:
    core.change(core.check(**named))


def test_the_first_change_starts_the_interval_and_later_ones_do_not_put_it_off(
    project: Project, core: Any
) -> None:
    assert core.delay is None

    change(core, config={"r": 9})
    project.now += 20
    change(core, config={"r": 10})

    assert core.delay == 10
    project.now += 20
    assert core.delay == 0


def test_a_save_sends_what_changed_and_nothing_else(project: Project, core: Any) -> None:
    change(core, config={"r": 8, "lora": {"alpha": 16}}, name="new", model={}, estimated_cost=None)
    change(core, change_summary="more")

    project.run(core)

    assert project.requests == [{"name": "new", "change_summary": "more"}]
    assert core.pending == {}
    assert core.delay is None
    assert core.draft.name == "new"
    assert core.draft.updated_at == project.row["updated_at"]


def test_going_back_to_what_is_saved_sends_nothing(project: Project, core: Any) -> None:
    change(core, name="new", estimated_cost="4.20")
    change(core, name="bot-v3", estimated_cost=None)

    project.run(core, everything=True)

    assert core.delay is None
    assert project.requests == []


@pytest.mark.parametrize(
    ("saved", "given", "equal"),
    [
        (1, True, False),
        (0, False, False),
        (1, 1.0, True),
        ([1], [True], False),
        ({"a": None}, {}, False),
        (2, 3, False),
    ],
)
def test_values_are_equal_if_they_are_in_the_database(saved: Any, given: Any, equal: bool) -> None:
    assert same(saved, given) is equal
    assert same({"at": saved}, {"at": given}) is equal


def test_costs_and_parents_are_compared_as_they_are_stored(project: Project) -> None:
    parent = uuid.uuid4()
    project.edit(estimated_cost=4.2, budget_limit=10, parent_version_id=str(parent))
    core = project.open()

    change(core, estimated_cost="4.20", budget_limit=10, parent_version_id=str(parent).upper())

    assert core.pending == {}


def test_what_the_caller_does_to_its_objects_later_changes_nothing(
    project: Project, core: Any
) -> None:
    config = {"r": 9}
    change(core, config=config)
    config["r"] = 10
    core.pending["config"]["r"] = 11

    project.run(core)

    assert project.requests == [{"config_snapshot": {"r": 9}}]


def test_changes_under_way_are_pending_and_those_that_come_meanwhile_are_saved_next(
    project: Project, core: Any
) -> None:
    def meanwhile() -> None:
        assert core.pending == {"config": {"r": 9}}
        project.now += 5
        change(core, config={"r": 10})
        project.now += 5

    change(core, config={"r": 9})
    project.meanwhile = meanwhile

    project.run(core)

    assert core.pending == {"config": {"r": 10}}
    assert core.delay == 25
    project.run(core)
    assert project.requests == [{"config_snapshot": {"r": 9}}, {"config_snapshot": {"r": 10}}]


def test_what_is_taken_back_while_it_is_under_way_is_sent_back(project: Project, core: Any) -> None:
    change(core, name="new")
    project.meanwhile = lambda: change(core, name="bot-v3")

    project.run(core)
    assert core.pending == {"name": "bot-v3"}

    project.run(core)
    assert project.requests == [{"name": "new"}, {"name": "bot-v3"}]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailedError("no network"),
        UnavailableError("busy", code="53300"),
        PermissionDeniedError("expired", code="PGRST301"),
        ConflictError("deadlock", code="40P01"),
    ],
)
def test_a_save_that_certainly_failed_stays_pending_and_the_newest_is_sent_next(
    project: Project, core: Any, error: Exception
) -> None:
    change(core, config={"r": 9}, name="new")
    project.fails = [error]

    with pytest.raises(type(error)):
        project.run(core)

    assert (core.error, core.delay) == (error, 30)
    assert core.pending == {"config": {"r": 9}, "name": "new"}
    change(core, config={"r": 10}, name="bot-v3")
    project.run(core)
    assert project.requests[1:] == [{"config_snapshot": {"r": 10}}]
    assert (core.error, core.pending) == (None, {})


@pytest.mark.parametrize(
    "error",
    [
        OutcomeUnknownError("lost"),
        UnreadableReplyError("odd"),
        RuntimeError("a bug"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_save_that_may_have_happened_is_repeated_as_it_was_and_then_the_rest_is_sent(
    project: Project, core: Any, error: BaseException, carried_out: bool
) -> None:
    change(core, config={"r": 9}, name="new")
    (project.loses if carried_out else project.fails).append(error)
    with pytest.raises(type(error)):
        project.run(core)
    project.fails = [ConnectionFailedError("and then the network went")]
    with pytest.raises(ConnectionFailedError):
        project.run(core)

    change(core, config={"r": 10}, name="bot-v3")
    assert core.pending == {"config": {"r": 10}, "name": "bot-v3"}
    assert core.delay == 30
    project.run(core, everything=True)

    first = {"config_snapshot": {"r": 9}, "name": "new"}
    assert project.requests == [
        first,
        first,
        first,
        {"config_snapshot": {"r": 10}, "name": "bot-v3"},
    ]
    assert (core.error, core.pending, core.delay) == (None, {}, None)
    assert project.row["config_snapshot"] == {"r": 10}


def test_in_the_background_a_repeat_is_the_only_request_of_its_interval(
    project: Project, core: Any
) -> None:
    change(core, name="new")
    project.loses = [OutcomeUnknownError("lost")]
    with pytest.raises(OutcomeUnknownError):
        project.run(core)
    change(core, name="newer")

    project.run(core)

    assert project.requests == [{"name": "new"}, {"name": "new"}]
    assert (core.pending, core.delay) == ({"name": "newer"}, 30)


@pytest.mark.parametrize(
    "error", [RejectedError("too large", code="413"), NotFoundError("no such parent", code="TV103")]
)
def test_what_the_database_refuses_is_not_sent_again_before_the_next_change(
    project: Project, core: Any, error: Exception
) -> None:
    change(core, name="new")
    project.fails = [error]
    with pytest.raises(type(error)):
        project.run(core)

    assert (core.pending, core.delay) == ({"name": "new"}, None)

    change(core, name="better")
    assert core.delay == 30
    project.run(core)
    assert project.requests[1:] == [{"name": "better"}]


def test_a_change_that_comes_while_one_is_refused_is_sent_in_its_own_time(
    project: Project, core: Any
) -> None:
    change(core, name="new")
    project.fails = [RejectedError("no", code="TV306")]
    project.meanwhile = lambda: change(core, name="better")

    with pytest.raises(RejectedError):
        project.run(core)

    assert core.delay == 30


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConflictError, "TV202"), (NotFoundError, "TV101")],
    ids=["published", "deleted"],
)
def test_the_end_of_the_draft_stops_autosaving_and_loses_nothing(
    project: Project, core: Any, error: Any, code: str
) -> None:
    change(core, name="new")
    project.fails = [error("the end", code=code)]
    with pytest.raises(error):
        project.run(core)

    with pytest.raises(error, match="the end"):
        change(core, config={"r": 9})
    with pytest.raises(error, match="the end"):
        project.run(core, everything=True)

    assert len(project.requests) == 1
    assert core.conflict is None
    assert core.delay is None
    assert core.pending == {"name": "new", "config": {"r": 9}}
    project.run(core, core.discard())
    project.run(core, everything=True)
    assert core.pending == {}
    with pytest.raises(error, match="the end"):
        change(core, name="still")


def test_when_only_facts_beside_the_content_moved_it_is_saved_all_the_same(
    project: Project, core: Any
) -> None:
    change(core, name="new")
    project.edit(training_status="running")

    project.run(core)

    assert project.requests == [{"name": "new"}, {"name": "new"}]
    assert core.draft.training_status == "running"
    assert (core.pending, core.error) == ({}, None)


def test_facts_that_move_faster_than_it_can_be_saved_are_waited_for(
    project: Project, core: Any
) -> None:
    change(core, name="new")
    project.fails = [EDITED] * 3

    with pytest.raises(ConflictError):
        project.run(core)

    assert len(project.requests) == 3
    assert core.conflict is None
    assert (core.pending, core.delay) == ({"name": "new"}, 30)
    project.run(core)
    assert core.pending == {}


def test_a_conflict_has_both_sides_and_stops_autosaving(project: Project, core: Any) -> None:
    base = core.draft
    change(core, config={"r": 9, "lora": {"alpha": 16}, "a/b": {"~": 1}}, name="mine")
    project.edit(
        config_snapshot={"r": 8, "lora": {"alpha": 32}},
        name="theirs",
        dataset_snapshot=[{"id": "x"}],
    )

    with pytest.raises(AutosaveConflictError) as caught:
        project.run(core)

    conflict = cast("AutosaveConflictError[Any, Any, Any]", caught.value)
    assert core.conflict is conflict
    assert conflict.code == "TV201"
    assert isinstance(conflict.__cause__, ConflictError)
    assert (
        conflict.mine
        == core.pending
        == {"config": {"r": 9, "lora": {"alpha": 16}, "a/b": {"~": 1}}, "name": "mine"}
    )
    assert conflict.base == base == core.draft
    assert conflict.theirs == project.version()
    assert conflict.my_paths == ("/config_snapshot/r", "/config_snapshot/a~1b", "/name")
    assert conflict.their_paths == ("/config_snapshot/lora/alpha", "/dataset_snapshot", "/name")
    assert conflict.overlapping == ("/name",)
    assert "edited by somebody else" in conflict.message
    assert "/name" in conflict.message
    assert core.delay is None
    again = pickle.loads(pickle.dumps(conflict))
    assert (str(again), vars(again)) == (str(conflict), vars(conflict))


def test_changes_after_a_conflict_are_taken_and_told(project: Project, core: Any) -> None:
    change(core, name="mine")
    project.edit(config_snapshot={"r": 1})
    with pytest.raises(AutosaveConflictError):
        project.run(core)

    with pytest.raises(AutosaveConflictError) as caught:
        change(core, config={"r": 2})

    assert core.pending == caught.value.mine == {"name": "mine", "config": {"r": 2}}
    assert caught.value.overlapping == ("/config_snapshot/r",)
    with pytest.raises(AutosaveConflictError):
        project.run(core, everything=True)
    assert len(project.requests) == 1


def test_what_somebody_else_wrote_beside_the_same_change_is_a_conflict_too(
    project: Project, core: Any
) -> None:
    change(core, name="new")
    project.edit(name="new", config_snapshot={"r": 1})

    with pytest.raises(AutosaveConflictError) as caught:
        project.run(core)

    assert caught.value.their_paths == ("/config_snapshot/r", "/config_snapshot/lora", "/name")
    assert caught.value.overlapping == ()
    project.run(core, core.merge())
    assert core.pending == {}
    assert core.draft == project.version()


@pytest.mark.parametrize(
    ("mine", "theirs", "overlapping"),
    [
        ({"a": 1}, {"b": 2}, ()),
        ({"a": 1}, {"a": 2}, ("/a",)),
        ({"a": 1}, {"a": 1}, ()),
        ({"a": 1}, {"a": True}, ("/a",)),
        ({"deep": {"x": 9, "y": 0}}, {"deep": {"x": 0, "y": 9}}, ()),
        ({"deep": {"x": 9, "y": 0}}, {"deep": None}, ("/deep/x",)),
        ({"deep": None}, {"deep": {"x": 9, "y": 0}}, ("/deep",)),
        ({"list": [1, 2, 3]}, {"list": [2]}, ("/list",)),
        ({"new": {"p": 1}}, {"new": {"q": 1}}, ("/new",)),
    ],
)
def test_paths_overlap_where_one_lies_in_the_other(
    mine: Any, theirs: Any, overlapping: Any
) -> None:
    base = {"deep": {"x": 0, "y": 0}, "list": [1, 2]}

    found = overlap(changed_paths(base, base | mine), changed_paths(base, base | theirs))

    assert pointers(found) == overlapping


def test_what_both_removed_is_no_overlap() -> None:
    assert overlap(changed_paths({"a": 1}, {}), changed_paths({"a": 1}, {})) == []
    assert pointers(overlap(changed_paths({"a": 1}, {}), changed_paths({"a": 1}, {"a": 2}))) == (
        "/a",
    )


def test_a_merge_puts_my_paths_onto_theirs(project: Project) -> None:
    project.edit(
        config_snapshot={"r": 8, "lora": {"alpha": 16, "old": 1}, "gone": True}, name="bot"
    )
    core = project.open()
    change(
        core, config={"r": 9, "lora": {"alpha": 16, "new": [1]}, "gone": True}, budget_limit="9.50"
    )
    project.edit(config_snapshot={"r": 8, "lora": {"alpha": 32, "old": 1}}, change_summary="theirs")
    with pytest.raises(AutosaveConflictError):
        project.run(core)

    project.run(core, core.merge())

    assert project.row["config_snapshot"] == {"r": 9, "lora": {"alpha": 32, "new": [1]}}
    assert (project.row["change_summary"], project.row["budget_limit"]) == ("theirs", 9.5)
    assert project.requests[-1].keys() == {"config_snapshot", "budget_limit"}
    assert (core.pending, core.conflict, core.error) == ({}, None, None)
    assert core.draft == project.version()


def test_a_merge_of_overlapping_paths_is_refused_and_changes_nothing(
    project: Project, core: Any
) -> None:
    change(core, config={"r": 9, "lora": {"alpha": 16}})
    project.edit(config_snapshot={"r": 10, "lora": {"alpha": 16}})
    with pytest.raises(AutosaveConflictError):
        project.run(core)

    with pytest.raises(AutosaveConflictError, match="/config_snapshot/r"):
        project.run(core, core.merge())

    assert core.conflict is not None
    assert core.pending == {"config": {"r": 9, "lora": {"alpha": 16}}}


def test_overwriting_saves_mine_whole_and_leaves_what_i_did_not_touch(
    project: Project, core: Any
) -> None:
    change(core, config={"r": 9})
    project.edit(config_snapshot={"r": 10, "x": 1}, name="theirs")
    with pytest.raises(AutosaveConflictError):
        project.run(core)

    project.run(core, core.overwrite())

    assert project.row["config_snapshot"] == {"r": 9}
    assert project.row["name"] == "theirs"
    assert project.requests[-1].keys() == {"config_snapshot"}


def test_discarding_leaves_theirs(project: Project, core: Any) -> None:
    change(core, config={"r": 9})
    project.edit(config_snapshot={"r": 10})
    with pytest.raises(AutosaveConflictError):
        project.run(core)

    project.run(core, core.discard())
    project.run(core, everything=True)

    assert len(project.requests) == 1
    assert core.draft == project.version()
    assert (core.pending, core.conflict) == ({}, None)
    change(core, config={"r": 11})
    assert core.delay == 30
    project.run(core)
    assert project.row["config_snapshot"] == {"r": 11}


def test_somebody_who_edits_again_during_a_merge_is_not_overwritten_either(
    project: Project, core: Any
) -> None:
    change(core, name="mine")
    project.edit(change_summary="one")
    with pytest.raises(AutosaveConflictError):
        project.run(core)
    project.meanwhile = lambda: project.edit(name="theirs")

    with pytest.raises(AutosaveConflictError) as caught:
        project.run(core, core.merge())

    assert caught.value.overlapping == ("/name",)
    assert caught.value.their_paths == ("/name",)


@pytest.mark.parametrize("choice", ["merge", "overwrite"])
def test_without_a_conflict_there_is_nothing_to_resolve_and_what_is_pending_is_saved(
    project: Project, core: Any, choice: str
) -> None:
    change(core, name="mine")

    project.run(core, getattr(core, choice)())

    assert project.requests == [{"name": "mine"}]
    assert core.pending == {}


def test_without_a_conflict_what_is_pending_is_discarded(project: Project, core: Any) -> None:
    change(core, name="mine")

    project.run(core, core.discard())

    assert (core.pending, core.delay) == ({}, None)


class Lora(BaseModel):
    r: int = 8
    alpha: int = 16

    @model_validator(mode="after")
    def _check(self) -> Lora:
        if self.alpha < self.r:
            raise ValueError("alpha is less than r")
        return self


def test_a_merge_keeps_what_the_type_does_not_know() -> None:
    project = Project(config=Lora)
    project.edit(config_snapshot={"r": 8, "since": 2027})
    core = project.open()
    change(core, config=Lora(r=9))
    project.edit(config_snapshot={"r": 8, "alpha": 32, "since": 2028})
    with pytest.raises(AutosaveConflictError) as caught:
        project.run(core)

    assert caught.value.my_paths == ("/config_snapshot/r",)
    assert caught.value.their_paths == ("/config_snapshot/alpha", "/config_snapshot/since")
    project.run(core, core.merge())

    assert project.row["config_snapshot"] == {"r": 9, "alpha": 32, "since": 2028}
    assert core.draft.config_snapshot == Lora(r=9, alpha=32)


class Stamped(BaseModel):
    r: int = 8
    at: float = Field(default_factory=time.perf_counter)


def test_what_the_type_does_not_know_is_not_overwritten_either() -> None:
    project = Project(config=Lora)
    project.edit(config_snapshot={"r": 8, "alpha": 16})
    core = project.open()
    change(core, config=Lora(r=16))
    project.edit(config_snapshot={"r": 8, "alpha": 16, "warmup": 100})

    with pytest.raises(AutosaveConflictError) as caught:
        project.run(core)

    assert (caught.value.my_paths, caught.value.their_paths) == (
        ("/config_snapshot/r",),
        ("/config_snapshot/warmup",),
    )
    assert project.requests == []
    project.run(core, core.merge())
    assert project.row["config_snapshot"] == {"r": 16, "alpha": 16, "warmup": 100}

    change(core, config=Lora(r=9))
    project.edit(config_snapshot={"r": 16, "alpha": 16, "warmup": 200})
    with pytest.raises(AutosaveConflictError) as again:
        project.run(core)
    assert again.value.their_paths == ("/config_snapshot/warmup",)


@pytest.mark.parametrize("kind", [Lora, Stamped])
def test_what_a_type_adds_or_leaves_out_is_nobodys_edit(kind: Any) -> None:
    project = Project(config=kind)
    project.edit(config_snapshot={"r": 8, "since": 2027})
    core = project.open()

    change(core, name="one")
    project.run(core)
    project.edit(training_status="running")
    change(core, name="two")
    project.run(core)
    project.edit(change_summary="theirs")
    change(core, name="three")
    with pytest.raises(AutosaveConflictError) as caught:
        project.run(core)
    project.run(core, core.merge())
    change(core, name="four")
    project.run(core)

    assert caught.value.their_paths == ("/change_summary",)
    assert project.requests == [
        {"name": name} for name in ("one", "two", "two", "three", "three", "four")
    ]
    assert (core.pending, core.error) == ({}, None)
    assert project.row["config_snapshot"] == {"r": 8, "since": 2027}


def test_after_a_merge_what_the_type_does_not_know_is_neither_mine_nor_a_conflict() -> None:
    project = Project(config=Lora)
    project.edit(config_snapshot={"r": 8, "since": 2027})
    core = project.open()
    project.run(core)
    change(core, config=Lora(r=9))
    project.edit(config_snapshot={"r": 8, "alpha": 32, "since": 2027})
    with pytest.raises(AutosaveConflictError):
        project.run(core)
    project.meanwhile = lambda: project.edit(config_snapshot={"r": 8, "alpha": 32, "since": 2028})

    with pytest.raises(AutosaveConflictError) as caught:
        project.run(core, core.merge())

    assert caught.value.my_paths == ("/config_snapshot/r",)
    assert caught.value.their_paths == ("/config_snapshot/since",)
    project.run(core, core.merge())
    change(core, name="new")
    project.run(core)
    assert project.row["config_snapshot"] == {"r": 9, "alpha": 32, "since": 2028}
    assert (core.pending, core.error) == ({}, None)


def test_only_a_typed_draft_costs_a_read_and_only_one(project: Project, core: Any) -> None:
    typed = Project(config=Lora)
    typed_core = typed.open()

    for each, saver in ((project, core), (typed, typed_core)):
        for name in ("one", "two"):
            change(saver, name=name)
            each.run(saver)

    assert (project.reads, typed.reads) == (0, 1)


@pytest.mark.parametrize("carried_out", [True, False])
def test_discarding_what_may_have_been_saved_reads_what_is_there(
    project: Project, core: Any, carried_out: bool
) -> None:
    change(core, config={"r": 99})
    (project.loses if carried_out else project.fails).append(OutcomeUnknownError("lost"))
    with pytest.raises(OutcomeUnknownError):
        project.run(core)

    project.run(core, core.discard())

    assert core.pending == {}
    assert core.draft == project.version()
    change(core, change_summary="more")
    project.run(core)
    assert project.requests[1:] == [{"change_summary": "more"}]


def test_what_cannot_be_settled_is_not_discarded(project: Project, core: Any) -> None:
    change(core, name="new")
    project.loses = [OutcomeUnknownError("lost")]
    with pytest.raises(OutcomeUnknownError):
        project.run(core)
    project.before_read = lambda: (_ for _ in ()).throw(ConnectionFailedError("no network"))

    with pytest.raises(ConnectionFailedError):
        project.run(core, core.discard())

    assert (core.pending, core.delay) == ({"name": "new"}, 30)
    project.run(core)
    assert core.pending == {}


def test_a_deleted_draft_can_be_discarded_after_a_lost_reply(project: Project, core: Any) -> None:
    change(core, name="new")
    project.loses = [OutcomeUnknownError("lost")]
    with pytest.raises(OutcomeUnknownError):
        project.run(core)
    project.row = {}

    project.run(core, core.discard())

    assert (core.pending, core.delay) == ({}, None)
    with pytest.raises(NotFoundError):
        change(core, name="newer")


def test_what_somebody_else_put_back_after_a_lost_reply_is_not_overwritten(
    project: Project, core: Any
) -> None:
    change(core, config={"r": 99})
    project.loses = [OutcomeUnknownError("lost")]
    with pytest.raises(OutcomeUnknownError):
        project.run(core)
    project.edit(config_snapshot=core.draft.config_snapshot)

    with pytest.raises(AutosaveConflictError) as caught:
        project.run(core)

    assert (caught.value.their_paths, caught.value.overlapping) == ((), ())
    assert project.row["config_snapshot"] == core.draft.config_snapshot
    project.run(core, core.merge())
    assert project.row["config_snapshot"] == {"r": 99}


@pytest.mark.parametrize("end", ["published", "archived", "deleted"])
def test_a_draft_that_ends_while_it_is_read_has_ended(
    project: Project, core: Any, end: str
) -> None:
    change(core, name="mine")
    project.edit(change_summary="theirs")

    def finish() -> None:
        project.row = {} if end == "deleted" else project.row | {"status": end}

    project.before_read = finish

    with pytest.raises(NotFoundError if end == "deleted" else ConflictError) as caught:
        project.run(core)

    assert core.conflict is None
    assert core.error is caught.value
    assert (core.pending, core.delay) == ({"name": "mine"}, None)
    with pytest.raises(type(caught.value)):
        change(core, change_summary="more")


def test_a_try_that_was_lost_within_the_call_counts_as_lost(project: Project, core: Any) -> None:
    change(core, name="mine")
    project.edit(training_status="running")
    edited = ConflictError("edited", code="TV201")
    edited.add_note(
        "The reply to an earlier try of this call was lost; that try may have been carried out."
    )
    project.fails = [edited]

    with pytest.raises(AutosaveConflictError, match="may have been edited and put back"):
        project.run(core)

    project.run(core, core.merge())
    assert project.row["name"] == "mine"


def test_what_is_set_back_while_the_draft_is_read_is_not_sent() -> None:
    typed, plain = Project(config=Lora), Project()
    plain.fails = [EDITED]

    for project, sent in ((typed, []), (plain, [{"name": "new"}])):
        core = project.open()
        change(core, name="new")
        project.before_read = lambda core=core: change(core, name="bot-v3")

        project.run(core)

        assert project.requests == sent
        assert (core.pending, core.delay) == ({}, None)


def test_a_merge_that_does_not_fit_the_type_is_refused() -> None:
    project = Project(config=Lora)
    core = project.open()
    change(core, config=Lora(r=12))
    project.edit(config_snapshot={"r": 8, "alpha": 10})
    with pytest.raises(AutosaveConflictError):
        project.run(core)

    with pytest.raises(InvalidInputError, match="alpha is less than r") as caught:
        project.run(core, core.merge())

    assert caught.value.field == "config"
    assert core.conflict is not None


@pytest.mark.parametrize(
    ("named", "field"),
    [
        ({"config": {"r": float("nan")}}, "config"),
        ({"config": [1]}, "config"),
        ({"dataset": {"id": "x"}}, "dataset"),
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"budget_limit": "1.234"}, "budget_limit"),
        ({"parent_version_id": "x"}, "parent_version_id"),
        ({}, None),
    ],
)
def test_what_cannot_be_stored_is_refused_at_once_and_not_taken(
    core: Any, named: Any, field: Any
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        change(core, change_summary="good", **named) if named else change(core)

    assert caught.value.field == field
    assert core.pending == {}


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf"), 1e300, True, "30", None])
def test_an_interval_is_seconds(project: Project, interval: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Autosave(project.calls, project.version(), interval, lambda: 0.0)

    assert caught.value.field == "interval"


@pytest.mark.parametrize("given", [None, "published", uuid.UUID(int=1)], ids=str)
def test_only_a_draft_is_autosaved(project: Project, given: Any) -> None:
    if given == "published":
        project.edit(status="published")
        given = project.version()

    with pytest.raises(InvalidInputError, match="is a draft") as caught:
        Autosave(project.calls, given, 30.0, lambda: 0.0)

    assert caught.value.field == "draft"
