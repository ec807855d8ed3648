"""Where the server caps replies at 100 rows: nothing is missed or repeated.

Not even while somebody deletes and adds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest

from tests.data import EMPTY
from tests.faces import both_faces
from tests.server.sdk.conftest import Sql
from training_versions import VersionRepository
from training_versions.local import LocalSupabase

VERSIONS = 2_500
CAP = 100

# Every fifth is a draft, every seventh of the rest archived, and all have the same created_at.
FILL = """
insert into public.training_configs (id, name, template_type, config_json, user_id, version_count)
values (%(package)s, 'support-bot', 'lora', '{}', %(owner)s, %(count)s);
insert into public.training_package_versions (
    package_id, version_number, name, status, created_at, updated_at, created_by,
    published_at, published_by, config_snapshot, model_snapshot, dataset_snapshot
)
select
    %(package)s, n, 'v' || n, status, '2025-01-31', '2025-01-31', %(owner)s,
    case when status <> 'draft' then timestamptz '2025-01-31' end,
    case when status <> 'draft' then %(owner)s::uuid end,
    jsonb_build_object('n', n), '{}', '[]'
from generate_series(1, %(count)s) as n, lateral (
    select case when n %% 5 = 0 then 'draft' when n %% 7 = 0 then 'archived' else 'published' end
) as s (status);
"""
FROZEN = [number for number in range(1, VERSIONS + 1) if number % 5]
PUBLISHED = [number for number in FROZEN if number % 7]


class Capped:
    """A package of 2,500 versions in the project with the cap, and its owner."""

    def __init__(self, stack: LocalSupabase) -> None:
        self.stack = stack
        self.sql = Sql(stack)
        self.owner = stack.user_id("ada@example.com")
        self.token = stack.token("ada@example.com")
        self.sizes: dict[int, UUID] = {}
        self.package_id = self.package(VERSIONS)

    def package(self, count: int) -> UUID:
        """Make a package of so many versions, once."""
        if count not in self.sizes:
            self.sizes[count] = self.new_package(count)
        return self.sizes[count]

    def new_package(self, count: int) -> UUID:
        package_id = uuid4()
        self.sql.past_triggers(FILL, package=package_id, owner=self.owner, count=count)
        return package_id


@pytest.fixture(scope="session")
def capped(capped_stack):
    return Capped(capped_stack)


@pytest.fixture
def ada(connect, capped):
    return connect(capped.token, stack=capped.stack)


def meddle(capped: Capped, busy: threading.Event, stopped: threading.Event) -> None:
    """Delete drafts all over the package and add new ones."""
    versions = VersionRepository(capped.stack.client(capped.token))
    drafts = list(versions.iterate(capped.package_id, status="draft"))
    shuffled = [draft for start in range(7) for draft in drafts[start::7]]
    for done, draft in enumerate(shuffled):
        if stopped.is_set():
            return
        versions.delete_draft(draft.id)
        if done % 2:
            versions.create_draft(capped.package_id, **EMPTY)
        if done == 5:
            busy.set()


@contextmanager
def meddling(capped: Capped) -> Iterator[Callable[[], None]]:
    """Meddle in a thread meanwhile; what is given waits until that is well under way."""
    busy, stopped = threading.Event(), threading.Event()

    def wait_until_busy() -> None:
        assert busy.wait(20), "it did not happen in time"

    with ThreadPoolExecutor(1) as threads:
        meddler = threads.submit(meddle, capped, busy, stopped)
        try:
            yield wait_until_busy
        finally:
            stopped.set()
    meddler.result()


def in_order(numbers: list[int], order: str) -> list[int]:
    return numbers[::-1] if order == "newest" else numbers


each_order = pytest.mark.parametrize("order", ["newest", "oldest"])


@both_faces
@each_order
@pytest.mark.parametrize("everywhere", [False, True], ids=["one package", "all packages"])
def test_a_walk_misses_and_repeats_nothing_while_others_delete_and_add(
    ada, capped, order, everywhere
):
    package_id = None if everywhere else capped.package_id

    with meddling(capped) as wait_until_busy:
        seen = []
        for summary in ada.versions.iterate(package_id, order=order):
            seen.append(summary)
            if len(seen) == 50:
                wait_until_busy()

    assert len({summary.id for summary in seen}) == len(seen)
    frozen = [
        summary
        for summary in seen
        if summary.package_id == capped.package_id and summary.status != "draft"
    ]
    numbers = [summary.version_number for summary in frozen]
    assert sorted(numbers) == FROZEN
    if not everywhere:
        assert numbers == in_order(FROZEN, order)
    published = {summary.version_number for summary in frozen if summary.status == "published"}
    assert published == set(PUBLISHED)


@each_order
def test_following_next_cursor_misses_and_repeats_nothing_while_others_delete_and_add(
    ada, capped, order
):
    # More than the server gives: the page is short, and says that there is more.
    wanted = {"order": order, "status": "published", "limit": 1_000}

    with meddling(capped) as wait_until_busy:
        pages = [ada.versions.list(capped.package_id, **wanted)]
        while pages[-1].next_cursor is not None:
            cursor = pages[-1].next_cursor
            pages.append(ada.versions.list(capped.package_id, **wanted, cursor=cursor))
            if len(pages) == 2:
                wait_until_busy()

    numbers = [summary.version_number for page in pages for summary in page.items]
    assert numbers == in_order(PUBLISHED, order)
    assert [len(page.items) for page in pages[:-1]] == [CAP] * (len(pages) - 1)


def test_a_deleted_row_that_a_cursor_stands_on_does_not_matter(ada, capped):
    package_id = capped.new_package(30)
    page = ada.versions.list(package_id, order="oldest", limit=5)
    assert page.items[-1].status == "draft"
    everywhere = ada.versions.list(order="newest", limit=3, status="draft")

    ada.versions.delete_draft(page.items[-1].id)
    ada.versions.delete_draft(everywhere.items[-1].id)

    following = ada.versions.list(package_id, order="oldest", limit=5, cursor=page.next_cursor)
    assert following.items[0].version_number == 6
    rest = ada.versions.list(order="newest", limit=3, status="draft", cursor=everywhere.next_cursor)
    assert not {summary.id for summary in rest.items} & {summary.id for summary in everywhere.items}


@pytest.mark.parametrize("count", [99, 100, 101, 200])
@pytest.mark.parametrize("limit", [100, 1_000])
def test_a_list_ends_where_the_versions_end_however_they_fall_into_pages(ada, capped, count, limit):
    package_id = capped.package(count)

    pages = [ada.versions.list(package_id, order="oldest", limit=limit)]
    while pages[-1].next_cursor is not None:
        cursor = pages[-1].next_cursor
        pages.append(ada.versions.list(package_id, order="oldest", limit=limit, cursor=cursor))
    walked = ada.versions.iterate(package_id, order="oldest", page_size=limit)

    assert all(page.items for page in pages)
    assert len(pages) == -(-count // min(limit, CAP))
    listed = [summary for page in pages for summary in page.items]
    assert [summary.version_number for summary in listed] == list(range(1, count + 1))
    assert list(walked) == listed
    assert ada.versions.count(package_id) == count


def test_whole_versions_are_walked_page_by_page_and_a_count_is_not_capped(ada, capped):
    frozen = ["published", "archived"]
    ada.sent.clear()

    walked = list(
        ada.versions.iterate(capped.package_id, status=frozen, page_size=5_000, snapshots=True)
    )

    assert [version.config_snapshot["n"] for version in walked] == FROZEN[::-1]
    # The pages, the empty one at the end, and once what the cap is.
    assert len(ada.sent) - ada.paths.count("training_row_numbers") == len(FROZEN) // CAP + 1
    assert ada.paths.count("training_row_numbers") <= 1
    assert ada.versions.count(capped.package_id, status=frozen) == len(FROZEN) > CAP


@both_faces
def test_a_walk_that_is_left_early_asks_for_no_more(ada, capped):
    ada.sent.clear()

    for summary in ada.versions.iterate(capped.package_id, page_size=10):
        if summary.version_number % 3 == 0:
            break

    assert len(ada.sent) == 1


def test_packages_beyond_the_cap_are_all_there(connect, capped, unique):
    email = unique("many@")
    capped.sql(
        "insert into public.training_configs (name, template_type, config_json, user_id) "
        "select 'bot ' || n, 'lora', '{}', %(owner)s from generate_series(1, 250) n",
        owner=capped.stack.user_id(email),
    )
    many = connect(capped.stack.token(email), stack=capped.stack)

    walked = list(many.packages.iterate())
    pages = [many.packages.list(limit=240)]
    while pages[-1].next_cursor is not None:
        pages.append(many.packages.list(limit=240, cursor=pages[-1].next_cursor))

    assert {package.name for package in walked} == {f"bot {n}" for n in range(1, 251)}
    assert [package for page in pages for package in page.items] == walked
    assert [len(page.items) for page in pages] == [100, 100, 50]


# --- what else there is much of


@pytest.fixture
def draft(carol):
    return carol.draft(carol.package())


def test_costs_and_history_are_walked_to_their_ends(carol, draft):
    for number in range(120):
        carol.versions.record_cost(draft.id, "0.01", key=str(number))

    costs = carol.versions.iterate_costs(draft.id, page_size=500)
    events = carol.versions.iterate_history(version_id=draft.id, page_size=500, order="oldest")
    page = carol.versions.history(version_id=draft.id, limit=500)
    rest = carol.versions.history(version_id=draft.id, limit=500, cursor=page.next_cursor)

    assert [entry.key for entry in costs] == list(map(str, range(120)))
    assert [event.details.get("key") for event in events] == [None, *map(str, range(120))]
    assert (len(page.items), len(rest.items)) == (100, 21)


def test_a_curve_of_1500_steps_comes_back_whole(carol, draft, capped):
    run = carol.versions.start_training(draft.id)
    capped.sql.past_triggers(
        "insert into public.training_metric_points (run_id, name, step, value, owner_id)"
        " select id, 'loss', n, 1.0 / (n + 1), owner_id"
        " from public.training_runs, generate_series(0, 1499) as n where id = %(run)s",
        run=run.id,
    )
    carol.sent.clear()

    curve = carol.versions.metric_history(draft.id, "loss")

    assert len(carol.sent) == 1
    assert [point.step for point in curve] == list(range(1500))
    assert curve[999].value == pytest.approx(0.001)


GENERATIONS = """
with line as (
    select n, case n when 1 then %(first)s::uuid else gen_random_uuid() end as id
    from generate_series(1, 3000) as n
)
insert into public.training_package_versions (
    id, package_id, version_number, name, status, created_by, created_at, updated_at,
    parent_version_id, config_snapshot, model_snapshot, dataset_snapshot
)
select
    l.id, v.package_id, l.n, 'v' || l.n, 'draft', v.created_by, moment, moment, p.id,
    '{}', '{}', '[]'
from line as l
join line as p on p.n = l.n - 1,
    public.training_package_versions as v,
    lateral (select now() + l.n * interval '1 ms') as m (moment)
where v.id = %(first)s
"""


def test_a_lineage_of_three_thousand_generations_is_one_request(carol, draft, capped):
    capped.sql.past_triggers(GENERATIONS, first=draft.id)
    middle = carol.versions.get_by_number(draft.package_id, 1000)
    carol.sent.clear()

    lineage = carol.versions.lineage(middle.id)

    assert len(carol.sent) == 1
    assert [node.version_number for node in lineage.ancestors] == list(range(999, 0, -1))
    assert [node.version_number for node in lineage.descendants] == list(range(1001, 3001))
    assert sum(1 for _ in lineage.root.walk()) == 3000
    assert len(str(lineage).splitlines()) == 3000
