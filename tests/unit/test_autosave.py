"""What an autosaver sends and when, without threads, tasks, a real clock or a server."""

from __future__ import annotations

import asyncio
import copy
import pickle
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import postgrest
import pytest
from pydantic import BaseModel, Field, model_validator

from training_versions import (
    UNSET,
    AsyncDraftAutosaver,
    AsyncVersionRepository,
    AutosaveConflictError,
    ConflictError,
    ConnectionFailedError,
    DraftAutosaver,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
    UnavailableError,
    UnreadableReplyError,
    Version,
    VersionRepository,
)
from training_versions.autosave.content import PLAIN_COLUMNS
from training_versions.autosave.merging import overlapping_paths
from training_versions.autosave.state import AutosaveState
from training_versions.models import CostRule, TextRule, UuidRule
from training_versions.operations import drafts
from training_versions.operations.requests import Operation, Reply, Request, Rpc, advance
from training_versions.operations.rows import SnapshotCodecs, read_summary
from training_versions.snapshots import changed_paths, json_equal

from .scripted import row

INTERVAL = 30.0
EDITED = ConflictError("edited", code="TV201")
LOST = OutcomeUnknownError("the reply was lost")


class Project:
    """An autosaver's state with a clock that is set, and a database that holds its draft.

    The database obeys the rules of `update_training_draft`, and fails as it is told to.
    """

    def __init__(self, *, config: type | None = None, **columns: object) -> None:
        content = {"config_snapshot": {"r": 8, "lora": {"alpha": 16}}, "name": "bot-v3"}
        costs = {"estimated_cost": None, "budget_limit": None}
        self.row: dict[str, Any] = row(3, **{**content, **costs, **columns})
        self.codecs: SnapshotCodecs[Any, Any, Any] = SnapshotCodecs.of(config, None, None)
        self.now = 100.0
        self.woken: list[None] = []
        self.sent: list[dict[str, Any]] = []
        self.reads = 0
        # Errors that the next saves end with: before they are carried out, or afterwards.
        self.fails: list[BaseException] = []
        self.loses: list[BaseException] = []
        # What happens while the next save is in flight, and before the next read.
        self.during_save: list[Callable[[], object]] = []
        self.before_read: list[Callable[[], object]] = []
        self.state: AutosaveState[Any, Any, Any] = AutosaveState(
            self.codecs,
            self.version(),
            interval=INTERVAL,
            clock=lambda: self.now,
            wake=lambda: self.woken.append(None),
        )

    def version(self) -> Version[Any, Any, Any]:
        """What a reader sees."""
        return self.codecs.read_version(copy.deepcopy(self.row))

    def edit(self, **columns: object) -> None:
        """Somebody else's edit, or our own that arrived."""
        moved = datetime.fromisoformat(self.row["updated_at"]) + timedelta(microseconds=1)
        self.row = self.row | columns | {"updated_at": moved.isoformat()}

    def change(self, *, config: Any = UNSET, name: Any = UNSET, **fields: Any) -> None:
        rest: Any = fields
        changes = drafts.check_changes(
            self.codecs, config=config, model=UNSET, dataset=UNSET, name=name, fields=rest
        )
        self.state.change(changes)

    def run(self, action: str) -> None:
        """Drive an operation of the state as a transport does."""
        operation: Operation[None] = getattr(self.state, action)()
        outcome: Reply | BaseException | None = None
        while True:
            try:
                request = advance(operation, outcome)
            except StopIteration:
                return
            try:
                outcome = Reply(self._answer(request))
            except BaseException as exc:
                outcome = exc

    def save(self) -> None:
        self.run("save")

    def _answer(self, request: Request) -> object:
        if not isinstance(request, Rpc):
            self.reads += 1
            if self.before_read:
                self.before_read.pop(0)()
            return [copy.deepcopy(self.row)] if self.row else []

        changes = request.params["p_changes"]
        self.sent.append(changes)
        if self.during_save:
            self.during_save.pop(0)()
        if self.fails:
            raise self.fails.pop(0)
        if any(not json_equal(self.row[column], changes[column]) for column in changes):
            if self.row["status"] != "draft":
                raise ConflictError("version 3 is published", code="TV202")
            if request.params["p_expected_updated_at"] != self.row["updated_at"]:
                raise EDITED
            self.edit(**changes)
        if self.loses:
            raise self.loses.pop(0)
        return copy.deepcopy(self.row)

    def save_refused(self, error: type[BaseException] | BaseException) -> Any:
        """Save, and return the error that this must end with."""
        kind = error if isinstance(error, type) else type(error)
        with pytest.raises(kind) as caught:
            self.save()
        return caught.value

    def lose_a_save(self, error: BaseException = LOST, *, carried_out: bool = True) -> None:
        (self.loses if carried_out else self.fails).append(error)
        self.save_refused(error)

    def meet_an_edit(self, **columns: object) -> AutosaveConflictError[Any, Any, Any]:
        """Save after somebody else's edit, and return the conflict."""
        self.edit(**columns)
        return self.save_refused(AutosaveConflictError)

    def is_at_rest(self) -> bool:
        """Whether all is saved, and nothing else is to be told."""
        state = self.state
        return not state.pending and (state.error, state.conflict, state.delay) == (None,) * 3


@pytest.fixture
def project() -> Project:
    return Project()


class Lora(BaseModel):
    """A config type that drops what it does not know and adds a default."""

    r: int = 8
    alpha: int = 16

    @model_validator(mode="after")
    def _check(self) -> Lora:
        if self.alpha < self.r:
            raise ValueError("alpha is less than r")
        return self


class Stamped(BaseModel):
    """A config type that writes something else each time."""

    r: int = 8
    at: float = Field(default_factory=time.perf_counter)


# When and what


def test_the_first_change_starts_the_interval_and_later_ones_do_not_put_it_off(
    project: Project,
) -> None:
    assert project.state.delay is None

    project.change(config={"r": 9})
    project.now += 20
    project.change(config={"r": 10})

    assert (project.state.delay, project.state.is_due) == (10, False)
    project.now += 20
    assert (project.state.delay, project.state.is_due) == (0, True)
    project.state.close()
    assert not project.state.is_due


def test_a_save_sends_what_changed_and_nothing_else(project: Project) -> None:
    project.change(config={"r": 8, "lora": {"alpha": 16}}, name="new", estimated_cost=None)
    project.change(change_summary="more")

    project.save()

    assert project.sent == [{"name": "new", "change_summary": "more"}]
    assert project.is_at_rest()
    assert project.state.draft == project.version()


def test_going_back_to_what_is_saved_sends_nothing(project: Project) -> None:
    project.change(name="new", estimated_cost="4.20")
    project.change(name="bot-v3", estimated_cost=None)

    project.run("save_all")

    assert project.sent == []
    assert project.is_at_rest()


def test_every_field_that_can_be_edited_is_compared_as_it_is_stored() -> None:
    parent = uuid.uuid4()
    stored: dict[str, Any] = {"name": "bot"}
    given: dict[str, Any] = {"name": "bot"}
    for column, rule in drafts.FIELD_RULES.items():
        match rule:
            case TextRule():
                stored[column], given[column] = "more", "more"
            case UuidRule():
                stored[column], given[column] = str(parent), str(parent).upper()
            case CostRule():
                stored[column], given[column] = 4.2, "4.20"
    stored["budget_limit"], given["budget_limit"] = 10, 10.0
    project = Project(**stored)

    project.change(**given)

    assert set(given) == set(PLAIN_COLUMNS)
    assert project.is_at_rest()


def test_what_the_caller_does_to_its_objects_later_changes_nothing(project: Project) -> None:
    config = {"r": 9}
    project.change(config=config)
    config["r"] = 10
    cast("Any", project.state.pending)["config"]["r"] = 11

    project.save()

    assert project.sent == [{"config_snapshot": {"r": 9}}]


def test_changes_in_flight_are_pending_and_those_that_come_meanwhile_are_saved_next(
    project: Project,
) -> None:
    def meanwhile() -> None:
        assert project.state.pending == {"config": {"r": 9}}
        project.now += 5
        project.change(config={"r": 10})
        project.now += 5

    project.change(config={"r": 9})
    project.during_save = [meanwhile]

    project.save()

    assert project.state.pending == {"config": {"r": 10}}
    assert project.state.delay == INTERVAL - 5
    project.save()
    assert project.sent == [{"config_snapshot": {"r": 9}}, {"config_snapshot": {"r": 10}}]


def test_what_is_taken_back_while_it_is_in_flight_is_sent_back(project: Project) -> None:
    project.change(name="new")
    project.during_save = [lambda: project.change(name="bot-v3")]

    project.save()
    assert project.state.pending == {"name": "bot-v3"}

    project.save()
    assert project.sent == [{"name": "new"}, {"name": "bot-v3"}]


@pytest.mark.parametrize(("config", "sent"), [(Lora, []), (None, [{"name": "new"}])])
def test_what_is_set_back_while_the_draft_is_read_is_not_sent(config: Any, sent: Any) -> None:
    project = Project(config=config)
    if config is None:
        project.fails = [EDITED]  # and is read because of that
    project.change(name="new")
    project.before_read = [lambda: project.change(name="bot-v3")]

    project.save()

    assert project.sent == sent
    assert project.is_at_rest()


@pytest.mark.parametrize(("config", "reads"), [(None, 0), (Lora, 1), (dict[str, Any], 1)])
def test_only_a_typed_draft_costs_a_read_and_only_one(config: Any, reads: int) -> None:
    project = Project(config=config)

    for name in ("one", "two"):
        project.change(name=name)
        project.save()

    assert project.reads == reads


def test_whoever_waits_is_woken_whenever_the_time_of_the_next_save_changes(
    project: Project,
) -> None:
    project.fails = [ConnectionFailedError("no network")]
    steps: list[Callable[[], object]] = [
        lambda: project.change(name="new"),
        lambda: project.save_refused(ConnectionFailedError),
        project.save,
        lambda: project.change(name="newer"),
        lambda: project.run("discard"),
        project.state.close,
    ]
    for step in steps:
        project.woken.clear()
        step()
        assert project.woken


# Failures


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailedError("no network"),
        UnavailableError("busy", code="53300"),
        PermissionDeniedError("expired", code="PGRST301"),
        ConflictError("deadlock", code="40P01"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_save_that_certainly_failed_stays_pending_and_the_newest_is_sent_next(
    project: Project, error: Exception
) -> None:
    project.change(config={"r": 9}, name="new")
    project.fails = [error]
    project.save_refused(error)

    assert (project.state.error, project.state.delay) == (error, INTERVAL)
    assert project.state.pending == {"config": {"r": 9}, "name": "new"}
    project.change(config={"r": 10}, name="bot-v3")
    project.save()
    assert project.sent[1:] == [{"config_snapshot": {"r": 10}}]
    assert project.is_at_rest()


@pytest.mark.parametrize(
    "error",
    [
        LOST,
        UnreadableReplyError("odd"),
        RuntimeError("a bug"),
        KeyboardInterrupt(),
        asyncio.CancelledError(),
        GeneratorExit(),  # the operation is closed in mid-request
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_save_that_may_have_happened_is_repeated_as_it_was_and_then_the_rest_is_sent(
    project: Project, error: BaseException, carried_out: bool
) -> None:
    project.change(config={"r": 9}, name="new")
    project.lose_a_save(error, carried_out=carried_out)
    assert project.state.delay == INTERVAL
    project.fails = [ConnectionFailedError("and then the network went")]
    project.save_refused(ConnectionFailedError)

    project.change(config={"r": 10}, name="bot-v3")
    assert project.state.pending == {"config": {"r": 10}, "name": "bot-v3"}
    assert project.state.delay == INTERVAL
    project.run("save_all")

    first = {"config_snapshot": {"r": 9}, "name": "new"}
    rest = {"config_snapshot": {"r": 10}, "name": "bot-v3"}
    assert project.sent == [first, first, first, rest]
    assert project.is_at_rest()
    assert project.row["config_snapshot"] == {"r": 10}


def test_in_the_background_a_repeat_is_the_only_request_of_its_interval(project: Project) -> None:
    project.change(name="new")
    project.lose_a_save()
    project.change(name="newer")

    project.save()

    assert project.sent == [{"name": "new"}, {"name": "new"}]
    assert (project.state.pending, project.state.delay) == ({"name": "newer"}, INTERVAL)


@pytest.mark.parametrize(
    "error", [RejectedError("too large", code="413"), NotFoundError("no such parent", code="TV103")]
)
@pytest.mark.parametrize("changed", ["afterwards", "meanwhile"])
def test_what_the_database_refuses_is_not_sent_again_before_the_next_change(
    project: Project, error: Exception, changed: str
) -> None:
    project.change(name="new")
    project.fails = [error]
    if changed == "meanwhile":
        project.during_save = [lambda: project.change(name="better")]
    project.save_refused(error)

    if changed == "afterwards":
        assert (project.state.pending, project.state.delay) == ({"name": "new"}, None)
        project.change(name="better")
    assert project.state.delay == INTERVAL
    project.save()
    assert project.sent[1:] == [{"name": "better"}]


def test_a_repeat_that_is_refused_is_settled(project: Project) -> None:
    project.change(name="new")
    project.lose_a_save(carried_out=False)
    project.fails = [RejectedError("no", code="TV306")]
    project.save_refused(RejectedError)

    project.change(name="better")
    project.save()

    assert project.sent == [{"name": "new"}, {"name": "new"}, {"name": "better"}]


def test_a_failed_save_starts_the_interval_anew_for_what_still_differs(project: Project) -> None:
    def meanwhile() -> None:
        project.change(config={"r": 9}, name="bot-v3")
        project.now += 5

    project.change(name="new")
    project.during_save = [meanwhile]
    project.fails = [ConnectionFailedError("no network")]
    project.save_refused(ConnectionFailedError)

    assert project.state.pending == {"config": {"r": 9}}
    assert project.state.delay == INTERVAL


# The end of the draft


@pytest.mark.parametrize(
    ("ending", "code"),
    [(ConflictError, "TV202"), (NotFoundError, "TV101")],
    ids=["published", "deleted"],
)
def test_the_end_of_the_draft_stops_autosaving_and_loses_nothing(
    project: Project, ending: Any, code: str
) -> None:
    project.change(name="new")
    project.during_save = [lambda: project.change(budget_limit=1)]
    project.fails = [ending("the end", code=code)]
    project.save_refused(ending)

    with pytest.raises(ending, match="the end"):
        project.change(config={"r": 9})
    with pytest.raises(ending, match="the end"):
        project.run("save_all")

    assert len(project.sent) == 1
    assert (project.state.conflict, project.state.delay) == (None, None)
    assert project.state.pending == {"name": "new", "budget_limit": 1, "config": {"r": 9}}
    project.run("discard")
    project.run("save_all")
    assert project.state.pending == {}
    with pytest.raises(ending):
        project.change(name="still")


@pytest.mark.parametrize("end", ["published", "archived", "deleted"])
def test_a_draft_that_ends_while_it_is_read_has_ended(project: Project, end: str) -> None:
    def finish() -> None:
        project.row = {} if end == "deleted" else project.row | {"status": end}

    project.change(name="mine")
    project.edit(change_summary="theirs")
    project.before_read = [finish]

    ending = NotFoundError if end == "deleted" else ConflictError
    error = project.save_refused(ending)

    assert project.state.error is error
    assert (project.state.conflict, project.state.delay) == (None, None)
    assert project.state.pending == {"name": "mine"}
    with pytest.raises(ending):
        project.change(change_summary="more")


# Facts beside the content


def test_when_only_facts_beside_the_content_moved_it_is_saved_all_the_same(
    project: Project,
) -> None:
    project.change(name="new")
    project.edit(training_status="running")

    project.save()

    assert project.sent == [{"name": "new"}, {"name": "new"}]
    assert project.state.draft.training_status == "running"
    assert project.is_at_rest()


def test_facts_that_move_faster_than_it_can_be_saved_are_waited_for(project: Project) -> None:
    project.change(name="new")
    project.fails = [EDITED] * 3
    project.save_refused(ConflictError)

    assert len(project.sent) == 3
    assert (project.state.conflict, project.state.delay) == (None, INTERVAL)
    assert project.state.pending == {"name": "new"}
    project.save()
    assert project.is_at_rest()


# Conflicts


def test_a_conflict_has_both_sides_and_stops_autosaving(project: Project) -> None:
    base = project.state.draft
    config = {"r": 9, "lora": {"alpha": 16}, "a/b": {"~": 1}}
    project.change(config=config, name="mine")

    conflict = project.meet_an_edit(
        config_snapshot={"r": 8, "lora": {"alpha": 32}},
        name="theirs",
        dataset_snapshot=[{"id": "x"}],
    )

    assert project.state.conflict is project.state.error is conflict
    assert conflict.code == "TV201"
    assert isinstance(conflict.__cause__, ConflictError)
    assert conflict.mine == project.state.pending == {"config": config, "name": "mine"}
    assert conflict.base == base == project.state.draft
    assert conflict.theirs == project.version()
    assert conflict.my_paths == ("/config_snapshot/r", "/config_snapshot/a~1b", "/name")
    assert conflict.their_paths == ("/config_snapshot/lora/alpha", "/dataset_snapshot", "/name")
    assert conflict.overlapping == ("/name",)
    assert "edited by somebody else" in conflict.message
    assert "/name" in conflict.message
    assert project.state.delay is None
    again = pickle.loads(pickle.dumps(conflict))
    assert (str(again), vars(again)) == (str(conflict), vars(conflict))


def test_changes_after_a_conflict_are_taken_and_become_part_of_it(project: Project) -> None:
    project.change(name="mine")
    project.meet_an_edit(config_snapshot={"r": 1})

    with pytest.raises(AutosaveConflictError) as caught:
        project.change(config={"r": 2})

    assert project.state.pending == caught.value.mine == {"name": "mine", "config": {"r": 2}}
    assert caught.value.overlapping == ("/config_snapshot/r",)
    with pytest.raises(AutosaveConflictError):
        project.run("save_all")
    assert len(project.sent) == 1


def test_what_somebody_else_wrote_beside_the_same_change_is_a_conflict_too(
    project: Project,
) -> None:
    project.change(name="new")

    conflict = project.meet_an_edit(name="new", config_snapshot={"r": 1})

    assert conflict.their_paths == ("/config_snapshot/r", "/config_snapshot/lora", "/name")
    assert conflict.overlapping == ()
    project.run("merge")
    assert project.is_at_rest()
    assert project.state.draft == project.version()


BASE = {"deep": {"x": 0, "y": 0}, "list": [1, 2]}
WITHOUT_LIST = {"deep": {"x": 0, "y": 0}}


@pytest.mark.parametrize(
    ("mine", "theirs", "overlapping"),
    [
        (BASE | {"a": 1}, BASE | {"b": 2}, []),
        (BASE | {"a": 1}, BASE | {"a": 2}, [("a",)]),
        (BASE | {"a": 1}, BASE | {"a": 1}, []),
        (BASE | {"a": 1}, BASE | {"a": True}, [("a",)]),
        (BASE | {"deep": {"x": 9, "y": 0}}, BASE | {"deep": {"x": 0, "y": 9}}, []),
        (BASE | {"deep": {"x": 9, "y": 0}}, BASE | {"deep": None}, [("deep", "x")]),
        (BASE | {"deep": None}, BASE | {"deep": {"x": 9, "y": 0}}, [("deep",)]),
        (BASE | {"list": [1, 2, 3]}, BASE | {"list": [2]}, [("list",)]),
        (BASE | {"new": {"p": 1}}, BASE | {"new": {"q": 1}}, [("new",)]),
        (WITHOUT_LIST, WITHOUT_LIST, []),
        (WITHOUT_LIST, BASE | {"list": [2]}, [("list",)]),
    ],
)
def test_paths_overlap_where_one_lies_in_the_other(
    mine: Any, theirs: Any, overlapping: Any
) -> None:
    found = overlapping_paths(changed_paths(BASE, mine), changed_paths(BASE, theirs))

    assert found == overlapping


def test_a_merge_puts_my_paths_onto_theirs() -> None:
    config = {"r": 8, "lora": {"alpha": 16, "old": 1}, "gone": True}
    project = Project(config_snapshot=config)
    mine = {"r": 9, "lora": {"alpha": 16, "new": [1]}, "gone": True}
    project.change(config=mine, budget_limit="9.50")
    theirs = {"r": 8, "lora": {"alpha": 32, "old": 1}}
    conflict = project.meet_an_edit(config_snapshot=theirs, change_summary="theirs")
    conflict.theirs.config_snapshot.clear()  # whoever shows it may take it apart

    project.run("merge")

    assert project.row["config_snapshot"] == {"r": 9, "lora": {"alpha": 32, "new": [1]}}
    assert (project.row["change_summary"], project.row["budget_limit"]) == ("theirs", 9.5)
    assert project.sent[-1].keys() == {"config_snapshot", "budget_limit"}
    assert project.is_at_rest()
    assert project.state.draft == project.version()


def test_a_merge_of_overlapping_paths_is_refused_and_changes_nothing(project: Project) -> None:
    mine = {"r": 9, "lora": {"alpha": 16}}
    project.change(config=mine)
    project.meet_an_edit(config_snapshot={"r": 10, "lora": {"alpha": 16}})

    with pytest.raises(AutosaveConflictError, match="/config_snapshot/r"):
        project.run("merge")

    assert project.state.conflict is not None
    assert project.state.pending == {"config": mine}


def test_a_merge_that_does_not_fit_the_type_is_refused() -> None:
    project = Project(config=Lora, config_snapshot={"r": 8, "alpha": 16})
    project.change(config=Lora(r=12))
    project.meet_an_edit(config_snapshot={"r": 8, "alpha": 10})

    with pytest.raises(InvalidInputError, match="alpha is less than r") as caught:
        project.run("merge")

    assert caught.value.field == "config"
    assert project.state.conflict is not None


def test_overwriting_saves_mine_whole_and_leaves_what_i_did_not_touch(project: Project) -> None:
    project.change(config={"r": 9})
    project.meet_an_edit(config_snapshot={"r": 10, "x": 1}, name="theirs")

    project.run("overwrite")

    assert (project.row["config_snapshot"], project.row["name"]) == ({"r": 9}, "theirs")
    assert project.sent[-1].keys() == {"config_snapshot"}


def test_discarding_leaves_theirs(project: Project) -> None:
    project.change(config={"r": 9})
    project.meet_an_edit(config_snapshot={"r": 10})

    project.run("discard")
    project.run("save_all")

    assert len(project.sent) == 1
    assert project.is_at_rest()
    assert project.state.draft == project.version()
    project.change(config={"r": 11})
    assert (project.state.delay, project.state.conflict) == (INTERVAL, None)
    project.save()
    assert project.row["config_snapshot"] == {"r": 11}


def test_somebody_who_edits_again_during_a_merge_is_not_overwritten_either(
    project: Project,
) -> None:
    project.change(name="mine")
    project.meet_an_edit(change_summary="one")
    project.during_save = [lambda: project.edit(name="theirs")]

    with pytest.raises(AutosaveConflictError) as caught:
        project.run("merge")

    assert caught.value.overlapping == caught.value.their_paths == ("/name",)


@pytest.mark.parametrize(
    ("choice", "sent"),
    [("merge", [{"name": "mine"}]), ("overwrite", [{"name": "mine"}]), ("discard", [])],
)
def test_without_a_conflict_there_is_nothing_to_resolve(
    project: Project, choice: str, sent: Any
) -> None:
    project.change(name="mine")

    project.run(choice)

    assert project.sent == sent
    assert project.is_at_rest()


# Types


def test_what_the_type_does_not_know_is_compared_and_kept_in_a_merge() -> None:
    project = Project(config=Lora, config_snapshot={"r": 8, "since": 2027})
    project.change(config=Lora(r=9))
    theirs = {"r": 8, "alpha": 32, "since": 2027, "warmup": 1}
    first = project.meet_an_edit(config_snapshot=theirs)
    during = theirs | {"since": 2028}
    project.during_save = [lambda: project.edit(config_snapshot=during)]
    with pytest.raises(AutosaveConflictError) as second:
        project.run("merge")

    project.run("merge")

    # What was there before the first save shows, too: nobody has read it here until then.
    names = ("alpha", "since", "warmup")
    assert first.their_paths == tuple(f"/config_snapshot/{name}" for name in names)
    assert first.my_paths == second.value.my_paths == ("/config_snapshot/r",)
    assert second.value.their_paths == ("/config_snapshot/since",)
    assert project.row["config_snapshot"] == during | {"r": 9}
    assert project.state.draft.config_snapshot == Lora(r=9, alpha=32)
    project.change(name="new")
    project.save()
    assert project.is_at_rest()


@pytest.mark.parametrize("is_first_save", [True, False])
def test_what_the_type_does_not_know_is_not_overwritten(is_first_save: bool) -> None:
    project = Project(config=Lora, config_snapshot={"r": 8, "alpha": 16})
    if not is_first_save:
        project.change(name="new")
        project.save()
    project.change(config=Lora(r=16))
    sent = len(project.sent)

    conflict = project.meet_an_edit(config_snapshot={"r": 8, "alpha": 16, "warmup": 100})

    assert conflict.my_paths == ("/config_snapshot/r",)
    assert conflict.their_paths == ("/config_snapshot/warmup",)
    assert len(project.sent) == sent + (not is_first_save)
    project.run("merge")
    assert project.row["config_snapshot"] == {"r": 16, "alpha": 16, "warmup": 100}


@pytest.mark.parametrize("config", [Lora, Stamped])
def test_what_a_type_adds_or_leaves_out_is_nobodys_edit(config: Any) -> None:
    project = Project(config=config, config_snapshot={"r": 8, "since": 2027})

    project.change(name="one")
    project.save()
    project.edit(training_status="running")
    project.change(name="two")
    project.save()
    project.change(name="three")
    conflict = project.meet_an_edit(change_summary="theirs")
    project.run("merge")
    project.change(config=project.state.draft.config_snapshot, name="four")
    project.save()

    assert conflict.their_paths == ("/change_summary",)
    names = ("one", "two", "two", "three", "three", "four")
    assert project.sent == [{"name": name} for name in names]
    assert project.is_at_rest()
    assert project.row["config_snapshot"] == {"r": 8, "since": 2027}


# Lost replies


@pytest.mark.parametrize("carried_out", [True, False])
def test_discarding_what_may_have_been_saved_reads_what_is_there(
    project: Project, carried_out: bool
) -> None:
    project.change(config={"r": 99})
    project.lose_a_save(carried_out=carried_out)

    project.run("discard")

    assert project.is_at_rest()
    assert project.state.draft == project.version()
    project.change(change_summary="more")
    project.save()
    assert project.sent[1:] == [{"change_summary": "more"}]


def test_what_cannot_be_settled_is_not_discarded(project: Project) -> None:
    def fail() -> None:
        raise ConnectionFailedError("no network")

    project.change(name="new")
    project.lose_a_save()
    project.before_read = [fail]

    with pytest.raises(ConnectionFailedError):
        project.run("discard")

    assert (project.state.pending, project.state.delay) == ({"name": "new"}, INTERVAL)
    project.save()
    assert project.is_at_rest()


def test_a_deleted_draft_can_be_discarded_after_a_lost_reply(project: Project) -> None:
    project.change(name="new")
    project.lose_a_save()
    project.row = {}

    project.run("discard")

    assert (project.state.pending, project.state.delay) == ({}, None)
    with pytest.raises(NotFoundError):
        project.change(name="newer")


def test_what_somebody_else_put_back_after_a_lost_reply_is_not_overwritten(
    project: Project,
) -> None:
    before = project.row["config_snapshot"]
    project.change(config={"r": 99}, name="new")
    project.lose_a_save()
    project.change(name="bot-v3")

    conflict = project.meet_an_edit(config_snapshot=before, name="bot-v3")

    assert conflict.mine == {"config": {"r": 99}}
    assert (conflict.their_paths, conflict.overlapping) == ((), ())
    assert project.row["config_snapshot"] == before
    project.run("merge")
    assert project.row["config_snapshot"] == {"r": 99}


def test_an_attempt_that_was_lost_within_the_request_counts_as_lost(project: Project) -> None:
    project.change(name="mine")
    edited = ConflictError("edited", code="TV201")
    edited.after_lost_reply = True
    project.fails = [edited]

    conflict = project.meet_an_edit(training_status="running")

    assert "may have been edited and put back" in conflict.message
    project.run("merge")
    assert project.row["name"] == "mine"


def test_a_refusal_with_any_other_note_is_no_loss(project: Project) -> None:
    project.change(name="mine")
    edited = ConflictError("edited", code="TV201")
    edited.add_note("The client has a word to say.")
    project.fails = [edited]
    project.edit(training_status="running")

    project.run("save")

    assert project.row["name"] == "mine"


# Arguments


VERSIONS: VersionRepository[Any, Any, Any] = VersionRepository(
    postgrest.SyncPostgrestClient("http://nowhere.test")
)
DRAFT = Project().version()


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
        ({"change_sumary": "x"}, "change_sumary"),
        ({}, None),
    ],
)
def test_what_cannot_be_stored_is_refused_at_once_and_not_taken(named: Any, field: Any) -> None:
    saver = DraftAutosaver(VERSIONS, DRAFT)
    if named:
        named = {"change_summary": "good", **named}

    with pytest.raises(InvalidInputError) as caught:
        saver.change(**named)

    assert caught.value.field == field
    assert saver.pending == {}
    saver.close()


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf"), 1e300, True, "30", None])
def test_an_interval_is_seconds(interval: Any) -> None:
    with pytest.raises(InvalidInputError, match="interval must be seconds") as caught:
        DraftAutosaver(VERSIONS, DRAFT, interval=interval)

    assert caught.value.field == "interval"


@pytest.mark.parametrize(
    ("draft", "hint"),
    [
        (uuid.UUID(int=1), None),
        (Project(status="published").version(), None),
        (read_summary(row(3)), "Read it with its snapshots first: versions.get(draft.id)."),
    ],
    ids=["an id", "published", "a summary"],
)
def test_only_a_draft_is_autosaved(draft: Any, hint: str | None) -> None:
    with pytest.raises(InvalidInputError, match="is a draft") as caught:
        DraftAutosaver(VERSIONS, draft)

    assert (caught.value.field, caught.value.hint) == ("draft", hint)


def test_a_background_task_that_was_cancelled_is_started_again_by_the_next_change() -> None:
    asyncio.run(_change_after_the_task_was_cancelled())


async def _change_after_the_task_was_cancelled() -> None:
    client = postgrest.AsyncPostgrestClient("http://nowhere.test")
    draft: Any = Version.model_validate(row(3))
    saver = AsyncDraftAutosaver(AsyncVersionRepository(client), draft)

    def background() -> asyncio.Task[None]:
        (task,) = (each for each in asyncio.all_tasks() if each.get_name() == "AsyncDraftAutosaver")
        return task

    saver.change(name="first")
    background().cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    saver.change(name="second")

    background().cancel()
    assert saver.pending == {"name": "second"}
    await client.aclose()
