"""Overviews: packages with what became of their versions, one request a page."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.faces import both_faces
from training_versions import NotSignedInError


def only(page):
    """The one overview of a page."""
    (overview,) = page
    return overview


@both_faces
def test_an_overview_tells_what_became_of_a_package(ada, package):
    first = ada.published(package, estimated_cost=10, budget_limit="12.50")
    ada.versions.deploy(first.id, "hf_space", url="https://ada.hf.space")
    second = ada.published(package, estimated_cost="0.10", budget_limit=1)
    ada.versions.deploy(second.id, "local")
    ada.versions.record_cost(first.id, "3.20")
    ada.draft(package)
    last = ada.versions.update_draft(ada.draft(package).id, name="last")
    now = ada.packages.get(package.id)
    ada.sent.clear()

    overview = only(ada.packages.overviews())

    # The second request measures the cap, once for each repository.
    assert ada.paths == ["training_package_overviews", "training_row_numbers"]
    shared = now.model_dump(exclude={"config_json"})
    assert overview.model_dump(include=set(shared)) == shared
    assert (overview.drafts, overview.version_count, overview.latest_published_version) == (2, 4, 2)
    assert overview.latest_published_at == second.published_at
    assert overview.last_change_at == last.updated_at
    cost = ada.versions.package_cost(package.id)
    assert overview.estimated_cost == cost.estimated_cost == Decimal("10.10")
    assert overview.actual_cost == cost.actual_cost == Decimal("3.20")
    assert overview.budget_limit == cost.budget_limit == Decimal("13.50")
    assert overview.live == tuple(
        ada.versions.live(package.id, target) for target in ("hf_space", "local")
    )


def test_a_package_without_versions_has_nothing_to_add_up(ada, package):
    overview = only(ada.packages.overviews())

    assert (overview.drafts, overview.version_count, overview.live) == (0, 0, ())
    assert (overview.latest_published_at, overview.last_change_at) == (None, None)
    sums = overview.estimated_cost, overview.actual_cost, overview.budget_limit
    assert sums == (None, None, None)
    assert repr(overview) == "<PackageOverview 'support-bot', 0 versions>"


def test_what_is_archived_is_neither_published_nor_live(ada, package, published):
    ada.versions.deploy(published.id, "local")
    ada.versions.archive(published.id)

    overview = only(ada.packages.overviews())

    assert (overview.live, overview.latest_published_at) == ((), None)
    assert (overview.latest_published_version, overview.drafts) == (0, 0)


def test_pages_and_filters_are_those_of_the_list_of_packages(ada):
    for name, kind in (("a bot", "lora"), ("b", "dpo"), ("c bot", "lora"), ("d bot", "dpo")):
        ada.package(name, template_type=kind)

    def ids(page):
        return [each.id for each in page]

    given = ({}, {"text": "BOT"}, {"name": "b"}, {"template_type": "dpo"}, {"order": "oldest"})
    for filters in given:
        everything = ids(ada.packages.list(**filters))
        assert ids(ada.packages.overviews(**filters)) == everything
        assert ids(ada.packages.iterate_overviews(**filters, page_size=1)) == everything
    first = ada.packages.overviews(limit=3)
    rest = ada.packages.overviews(limit=3, cursor=first.next_cursor)
    assert ids([*first, *rest]) == ids(ada.packages.list())
    assert ids(ada.packages.overviews(ids=[rest[0].id])) == [rest[0].id]


def test_nobody_sees_the_overview_of_another(ada, bob, nobody, admin, package, published):
    ada.versions.deploy(published.id, "local")
    mine = only(ada.packages.overviews())

    assert list(bob.packages.overviews(ids=[package.id])) == []
    assert only(admin.packages.overviews(ids=[package.id])) == mine
    with pytest.raises(NotSignedInError):
        nobody.packages.overviews()


def test_what_a_stranger_left_in_a_package_does_not_count(ada, bob, package, published, sql):
    left = ada.draft(package, estimated_cost=5)
    sql.change(left.id, created_by=bob.id)

    overview = only(ada.packages.overviews())

    assert (overview.drafts, overview.estimated_cost) == (0, None)
    assert list(bob.packages.overviews()) == []


def test_a_package_of_unknown_age_has_no_moment(ada, package, sql):
    sql.past_triggers(
        "update public.training_configs set created_at = 'epoch' where id = %(id)s", id=package.id
    )

    overview = only(ada.packages.overviews())

    assert overview.created_at is None
    assert only(ada.packages.iterate_overviews(page_size=1)) == overview
