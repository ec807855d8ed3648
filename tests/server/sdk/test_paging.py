"""Paging where the server caps replies at 100 rows, over 2,500 versions, while somebody else deletes and adds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from training_versions import VersionRepository
from training_versions.local import LocalSupabase

VERSIONS = 2_500
CAP = 100

# Every fifth is a draft, every seventh of the rest archived, and all have the same created_at.
FILL = """
insert into public.training_configs (id, name, template_type, config_json, user_id)
values (:'package', 'support-bot', 'lora', '{}', :'owner') on conflict do nothing;
insert into public.training_package_versions
    (package_id, status, created_at, config_snapshot, model_snapshot, dataset_snapshot)
select :'package', 'draft', '2025-01-31', jsonb_build_object('n', n), '{}', '[]'
from generate_series(:first, :last) n;
update public.training_package_versions set status = 'published'
where package_id = :'package' and version_number >= :first and version_number % 5 <> 0;
update public.training_package_versions set status = 'archived'
where package_id = :'package' and version_number >= :first and status = 'published' and version_number % 7 = 0;
"""
AT_ONCE = 250  # triggers change one row of the package for each version, which gets slow in long transactions


class Capped:
    """A project that caps replies, one package of 2,500 versions in it, and its owner."""

    def __init__(self, stack: LocalSupabase) -> None:
        self.stack = stack
        self.owner = stack.user_id("ada@example.com")
        self.token = stack.token("ada@example.com")
        self.package_id = self.fill(self.owner, VERSIONS)

    def fill(self, owner: UUID, count: int) -> UUID:
        package = str(uuid4())
        for first in range(1, count + 1, AT_ONCE):
            last = min(first + AT_ONCE - 1, count)
            self.stack.psql(
                FILL, package=package, owner=str(owner), first=str(first), last=str(last)
            )
        return UUID(package)


@pytest.fixture(scope="session")
def capped() -> Iterator[Capped]:
    with LocalSupabase(max_rows=CAP) as running:
        yield Capped(running)


@pytest.fixture
def ada(connect: Any, capped: Capped) -> Any:
    return connect(capped.token, stack=capped.stack)


class Meddler:
    """Deletes drafts all over the package and adds new ones, in a thread, until told to stop."""

    def __init__(self, capped: Capped) -> None:
        self._versions = VersionRepository(capped.stack.client(capped.token))
        self._package = capped.package_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._error: Exception | None = None
        self.deleted: set[int] = set()
        self.added: set[int] = set()

    def _run(self) -> None:
        try:
            drafts = list(self._versions.iterate(self._package, status="draft"))
            for draft in self._shuffled(drafts):
                if self._stop.is_set():
                    return
                self._versions.delete_draft(draft.id)
                self.deleted.add(draft.version_number)
                if len(self.deleted) % 2:
                    new = self._versions.create_draft(
                        self._package, config={}, model={}, dataset=[]
                    )
                    self.added.add(new.version_number)
        except Exception as exc:
            self._error = exc

    def _shuffled(self, drafts: list[Any]) -> list[Any]:
        return [draft for start in range(7) for draft in drafts[start::7]]

    def __enter__(self) -> Meddler:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join(60)
        if self._error is not None:
            raise self._error


def published(number: int) -> bool:
    return number % 5 != 0 and number % 7 != 0


@pytest.fixture
def frozen(capped: Capped) -> list[int]:
    """The numbers of everything that is not a draft, and so can be neither missed nor moved."""
    return [number for number in range(1, VERSIONS + 1) if number % 5]


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("everywhere", [False, True], ids=["one package", "all packages"])
def test_a_walk_misses_and_repeats_nothing_while_others_delete_and_add(
    ada: Any, capped: Capped, frozen: list[int], order: str, everywhere: bool
) -> None:
    package_id = None if everywhere else capped.package_id
    with Meddler(capped) as meddler:
        seen = []
        for summary in ada.versions.iterate(package_id, order=order):
            seen.append(summary)
            if len(seen) == 50:
                wait_until(lambda: len(meddler.deleted) > 5)

    assert meddler.added
    assert len({summary.id for summary in seen}) == len(seen)
    seen = [summary for summary in seen if summary.package_id == capped.package_id]
    numbers = [summary.version_number for summary in seen if summary.status != "draft"]
    assert sorted(numbers) == frozen
    if not everywhere:
        assert numbers == (frozen[::-1] if order == "newest" else frozen)
    assert [summary.status == "published" for summary in seen if summary.status != "draft"] == [
        published(number) for number in numbers
    ]


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_following_next_cursor_misses_and_repeats_nothing_while_others_delete_and_add(
    ada: Any, capped: Capped, order: str
) -> None:
    expected = [number for number in range(1, VERSIONS + 1) if published(number)]
    with Meddler(capped) as meddler:
        pages = []
        cursor = None
        while not pages or cursor is not None:
            # More than the server gives: the page is short, and says that there is more.
            page = ada.versions.list(
                capped.package_id, order=order, status="published", limit=1_000, cursor=cursor
            )
            pages.append(page)
            cursor = page.next_cursor
            if len(pages) == 2:
                wait_until(lambda: len(meddler.deleted) > 5)

    numbers = [summary.version_number for page in pages for summary in page.items]
    assert numbers == (expected[::-1] if order == "newest" else expected)
    assert [len(page.items) for page in pages[:-1]] == [CAP] * (len(pages) - 1)
    assert all(page.next_cursor for page in pages[:-1])


def test_a_deleted_row_that_a_cursor_stands_on_does_not_matter(ada: Any, capped: Capped) -> None:
    package_id = capped.fill(capped.owner, 30)
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
def test_a_list_ends_where_the_versions_end_however_they_fall_into_pages(
    ada: Any, capped: Capped, count: int, limit: int, packages_of: Callable[[int], UUID]
) -> None:
    package_id = packages_of(count)
    numbers: list[int] = []
    cursor, pages = None, 0
    while not pages or cursor is not None:
        page = ada.versions.list(package_id, order="oldest", limit=limit, cursor=cursor)
        assert page.items, "a page before the end is never empty"
        numbers += [summary.version_number for summary in page.items]
        cursor, pages = page.next_cursor, pages + 1

    assert numbers == list(range(1, count + 1))
    assert pages == -(-count // min(limit, CAP))
    walked = ada.versions.iterate(package_id, order="oldest", page_size=limit)
    assert [summary.version_number for summary in walked] == numbers
    assert ada.versions.count(package_id) == count


@pytest.fixture(scope="session")
def packages_of(capped: Capped) -> Callable[[int], UUID]:
    made: dict[int, UUID] = {}

    def find(count: int) -> UUID:
        if count not in made:
            made[count] = capped.fill(capped.owner, count)
        return made[count]

    return find


def test_a_count_is_not_capped(ada: Any, capped: Capped, frozen: list[int]) -> None:
    assert (
        ada.versions.count(capped.package_id, status=["published", "archived"]) == len(frozen) > CAP
    )


def test_a_walk_asks_for_pages_and_not_for_each_version(
    ada: Any, capped: Capped, frozen: list[int]
) -> None:
    ada.sent.clear()

    walked = list(
        ada.versions.iterate(capped.package_id, status=["published", "archived"], page_size=5_000)
    )

    assert [summary.version_number for summary in walked] == frozen[::-1]
    assert len(ada.sent) == len(frozen) // CAP + 1


def test_a_walk_that_is_left_early_asks_for_no_more(ada: Any, capped: Capped) -> None:
    ada.sent.clear()

    for summary in ada.versions.iterate(capped.package_id, page_size=10):
        if summary.version_number % 3 == 0:
            break

    assert len(ada.sent) == 1


def test_whole_versions_are_walked_as_well(ada: Any, capped: Capped, frozen: list[int]) -> None:
    walked = ada.versions.iterate(
        capped.package_id, status=["published", "archived"], snapshots=True
    )

    assert [version.config_snapshot["n"] for version in walked] == frozen[::-1]


def test_packages_beyond_the_cap_are_all_there(connect: Any, capped: Capped) -> None:
    email = f"many-{uuid4()}@example.com"
    owner = capped.stack.user_id(email)
    capped.stack.psql(
        "insert into public.training_configs (name, template_type, config_json, user_id) "
        "select 'bot ' || n, 'lora', '{}', :'owner' from generate_series(1, 250) n;",
        owner=str(owner),
    )
    many = connect(capped.stack.token(email), stack=capped.stack)

    walked = list(many.packages.iterate())
    pages, cursor = [], None
    while not pages or cursor is not None:
        pages.append(many.packages.list(limit=240, cursor=cursor))
        cursor = pages[-1].next_cursor

    assert {package.name for package in walked} == {f"bot {n}" for n in range(1, 251)}
    assert [package for page in pages for package in page.items] == walked
    assert [len(page.items) for page in pages] == [100, 100, 50]


def wait_until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(500):
        if holds():
            return
        waiting.wait(0.02)
    raise AssertionError("it did not happen in time")
