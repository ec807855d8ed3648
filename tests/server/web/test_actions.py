"""Every action on a version: it asks first, does what was shown, and does it once."""

from __future__ import annotations

import pytest

from tests.data import SNAPSHOTS
from tests.server.web.shop import path_of, text_of
from training_versions import NotFoundError, VersionStatus
from training_versions.web.pages import copying, deploying, publishing
from training_versions.web.pages.actions import read_subject

CHANGED = SNAPSHOTS | {"config": SNAPSHOTS["config"] | {"r": 16}}


@pytest.fixture
def package(shop):
    return shop.package()


@pytest.fixture
def first(shop, package):
    return shop.published(package.id)


@pytest.fixture
def draft(shop, package, first):
    return shop.draft(package.id, **CHANGED, parent_version_id=first.id)


ACTIONS = ("restore", "publish", "archive", "fork", "deploy", "undeploy", "delete")


# --- whoever may not


@pytest.mark.parametrize("action", ACTIONS)
def test_a_stranger_is_told_that_there_is_no_such_version(shop, other_shop, draft, action):
    fields = shop.form(path_of(draft, "delete"))
    path = path_of(draft, action)

    asked = other_shop.pages.get(path)
    done = other_shop.pages.submit(path, fields, page="/")

    assert (asked.status_code, done.status_code) == (404, 404)
    assert shop.versions.get(draft.id) == draft


@pytest.mark.parametrize("action", ACTIONS)
def test_whoever_is_signed_out_is_asked_to_sign_in(shop, visitor, draft, action):
    path = path_of(draft, action)

    asked = visitor.get(path)
    done = visitor.post(path, {"version_id": str(draft.id)})

    assert asked.status_code == 303
    assert asked.headers["Location"].startswith("/sign-in?next=%2Fpackages")
    assert done.status_code == 401
    assert shop.versions.get(draft.id) == draft


# --- restore


def test_restoring_shows_the_difference_and_makes_a_draft(shop, first, draft):
    page = shop.pages.get(path_of(first, "restore"))

    done = shop.confirm(path_of(first, "restore"), change_summary="back")

    assert "r 16 8 \N{MINUS SIGN}8" in text_of(page)
    assert "1 difference" in text_of(page)
    made = shop.versions.latest(first.package_id)
    assert done.headers["Location"] == f"{path_of(made)}?done=restored&source=1"
    assert done.status_code == 303
    assert (made.status, made.parent_version_id) == (VersionStatus.DRAFT, first.id)
    assert (made.config_snapshot, made.change_summary) == (first.config_snapshot, "back")
    assert "content of v1" in text_of(shop.pages.get(done.headers["Location"]))


def test_restoring_twice_makes_one_draft(shop, first, draft):
    fields = shop.form(path_of(first, "restore"))

    once, again = (shop.send(path_of(first, "restore"), fields) for _ in range(2))

    assert once.headers["Location"] == again.headers["Location"]
    assert shop.versions.count(first.package_id) == 3


def test_the_same_form_with_another_summary_leads_to_what_it_has_made(shop, first, draft):
    other = shop.package("sales-bot")
    for path in (path_of(first, "restore"), f"{path_of(first, 'fork')}?into={other.id}"):
        fields = shop.form(path)

        once = shop.send(path, fields | {"change_summary": "one"})
        again = shop.send(path, fields | {"change_summary": "two"})

        assert (once.status_code, again.status_code) == (303, 303)
        assert once.headers["Location"] == again.headers["Location"]


def test_a_draft_in_training_can_be_restored(shop, package, draft):
    shop.draft(package.id)
    fields = shop.form(path_of(draft, "restore"))
    shop.versions.start_training(draft.id)
    shop.versions.record_cost(draft.id, 1)

    assert shop.send(path_of(draft, "restore"), fields).status_code == 303


def test_restoring_is_not_offered_where_nothing_would_change(shop, package, first):
    same = shop.draft(package.id)
    page = shop.pages.get(path_of(first)).text
    assert "/restore" not in page
    assert "Nothing to restore: the latest version has this content." in page
    assert "/restore" not in shop.pages.get(path_of(same)).text

    asked = shop.pages.get(path_of(first, "restore"))

    assert "Nothing would change" in text_of(asked)
    assert 'name="new_id"' not in asked.text


def test_restoring_what_has_become_the_latest_meanwhile_is_refused(shop, package, first, draft):
    fields = shop.form(path_of(first, "restore"))
    shop.draft(package.id)

    done = shop.send(path_of(first, "restore"), fields)

    assert done.status_code == 409
    assert "Nothing was done" in text_of(done)
    assert shop.versions.count(package.id) == 3


def test_restoring_can_be_compared_with_the_latest_published_version(shop, package, first, draft):
    second = shop.published(package.id, **SNAPSHOTS | {"model": {"id": "other"}})
    shop.draft(package.id, **CHANGED)

    page = shop.pages.get(f"{path_of(first, 'restore')}?against=published")

    assert f"from v{second.version_number}, the latest published version" in text_of(page)
    assert "revision" in text_of(page)


def test_a_draft_that_was_edited_meanwhile_is_not_restored(shop, package, draft):
    shop.draft(package.id)
    fields = shop.form(path_of(draft, "restore"))
    shop.versions.update_draft(draft.id, config={"r": 99})

    done = shop.send(path_of(draft, "restore"), fields)

    assert done.status_code == 409
    assert "edited since" in text_of(done)
    assert "99" in text_of(done)
    assert shop.versions.count(package.id) == 3


def test_a_summary_that_is_too_long_comes_back_with_what_was_typed(shop, first, draft):
    typed = "<b>" + "s" * 10_001

    done = shop.confirm(path_of(first, "restore"), change_summary=typed)

    assert done.status_code == 422
    assert "change_summary" in text_of(done)
    assert "&lt;b&gt;" + "s" * 10_001 in done.text
    assert shop.versions.count(first.package_id) == 2


def shown_form(shop, version, action):
    """Return the form of an action as the page shows it, filled in."""
    path, target = path_of(version, action), {}
    if action == "fork":
        path = f"{path}?into={shop.package('sales-bot').id}"
    if action == "undeploy":
        shop.versions.deploy(version.id, "local")
    if action in ("deploy", "undeploy"):
        target = {"target": "local"}
    return shop.form(path) | target


OF_DRAFTS = ("publish", "delete")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_form_that_is_sent_twice_at_once_has_the_effect_of_one(shop, first, draft, action):
    version = draft if action in OF_DRAFTS else first
    fields = shown_form(shop, version, action)

    replies = shop.send_at_once(path_of(version, action), fields)

    assert [reply.status_code for reply in replies] == [303, 303]
    assert len({reply.headers["Location"] for reply in replies}) == 1
    expected = {"restore": 3, "delete": 1}
    assert shop.versions.count(first.package_id) == expected.get(action, 2)
    stays = {"deploy": 1, "undeploy": 1}
    assert len(shop.versions.deployments(package_id=first.package_id)) == stays.get(action, 0)


# What the same form does if it is sent first.
SAME_FORM = {
    "restore": lambda shop, it, form: shop.versions.restore(it.id, new_version_id=form["new_id"]),
    "publish": lambda shop, it, form: shop.versions.publish(it.id),
    "archive": lambda shop, it, form: shop.versions.archive(it.id),
    "fork": lambda shop, it, form: shop.versions.fork(
        it.id, into=form["into"], new_version_id=form["new_id"]
    ),
    "deploy": lambda shop, it, form: shop.versions.deploy(
        it.id, form["target"], stay_id=form["stay_id"]
    ),
    "undeploy": lambda shop, it, form: shop.versions.undeploy(it.id, target=form["target"]),
}


@pytest.mark.parametrize("action", SAME_FORM)
def test_what_the_same_form_has_done_meanwhile_is_not_in_its_way(
    shop, first, draft, monkeypatch, action
):
    version = draft if action in OF_DRAFTS else first
    fields = shown_form(shop, version, action)

    async def read_and_be_overtaken(request):
        subject = await read_subject(request)
        SAME_FORM[action](shop, version, fields)
        return subject

    for module in (copying, deploying, publishing):
        monkeypatch.setattr(module, "read_subject", read_and_be_overtaken)
    done = shop.send(path_of(version, action), fields)

    assert (done.status_code, text_of(done)) == (303, "")


def test_a_draft_that_was_published_meanwhile_and_followed_by_another_is_published(
    shop, package, draft, monkeypatch
):
    other = shop.draft(package.id)
    fields = shop.form(path_of(draft, "publish"))

    async def read_and_be_overtaken(request):
        subject = await read_subject(request)
        shop.versions.publish(draft.id)
        shop.versions.publish(other.id)
        return subject

    monkeypatch.setattr(publishing, "read_subject", read_and_be_overtaken)
    done = shop.send(path_of(draft, "publish"), fields)

    assert done.headers["Location"] == f"{path_of(draft)}?done=published"


# --- publish


def test_publishing_shows_the_difference_and_publishes(shop, first, draft):
    page = shop.pages.get(path_of(draft, "publish"))

    done = shop.confirm(path_of(draft, "publish"), name="rank 16")

    assert "r 8 16 +8" in text_of(page)
    assert done.headers["Location"] == f"{path_of(draft)}?done=published"
    version = shop.versions.get(draft.id)
    assert (version.status, version.name) == (VersionStatus.PUBLISHED, "rank 16")


def test_publishing_twice_publishes_once(shop, draft):
    fields = shop.form(path_of(draft, "publish"))

    once, again = (shop.send(path_of(draft, "publish"), fields) for _ in range(2))

    assert (once.status_code, again.status_code) == (303, 303)
    assert shop.versions.latest_published(draft.package_id).id == draft.id


def test_a_draft_that_was_edited_meanwhile_is_not_published(shop, draft):
    fields = shop.form(path_of(draft, "publish"))
    shop.versions.update_draft(draft.id, config={"r": 99})

    done = shop.send(path_of(draft, "publish"), fields)

    assert done.status_code == 409
    assert "Nothing was done" in text_of(done)
    assert "r 8 99 +91" in text_of(done)
    assert shop.versions.get(draft.id).status == VersionStatus.DRAFT
    # The form that came again is about the draft as it is now.
    assert shop.confirm(path_of(draft, "publish")).status_code == 303


def test_publishing_over_another_version_than_was_shown_is_refused(shop, package, draft):
    other = shop.draft(package.id, **SNAPSHOTS | {"model": {"id": "other"}})
    fields = shop.form(path_of(draft, "publish"))
    shop.versions.publish(other.id)

    done = shop.send(path_of(draft, "publish"), fields)

    assert done.status_code == 409
    assert f"from v{other.version_number}, the latest published" in text_of(done)
    assert shop.versions.get(draft.id).status == VersionStatus.DRAFT


def test_the_first_version_is_published_without_a_difference(shop, package):
    draft = shop.draft(package.id)

    assert "first version of this package" in text_of(shop.pages.get(path_of(draft, "publish")))
    assert shop.confirm(path_of(draft, "publish")).status_code == 303


def test_what_is_published_already_is_not_asked_about(shop, first):
    page = shop.pages.get(path_of(first, "publish"))

    assert "only a draft can be published" in text_of(page)
    assert 'name="token"' not in page.text


def test_versions_that_cannot_be_read_are_told_and_stand_in_the_way_of_nothing(
    shop, package, first, draft, damage
):
    damage(first, "created_at = '20000-01-01'")
    damage(shop.draft(package.id), "created_at = '20000-01-01'")

    for action in ("restore", "publish", "delete"):
        page = shop.pages.get(path_of(draft, action))
        assert "cannot be read, so it cannot be compared" in text_of(page)
        assert "created_at" in text_of(page)
    assert "restore" in shop.pages.get(path_of(draft)).text
    assert shop.confirm(path_of(draft, "restore")).status_code == 303
    assert shop.confirm(path_of(draft, "publish")).status_code == 303


# --- archive


def test_archiving_says_what_ends_and_what_is_current_then(shop, package, first):
    second = shop.published(package.id, **CHANGED)
    shop.versions.deploy(second.id, "hf_space")
    page = shop.pages.get(path_of(second, "archive"))

    done = [shop.confirm(path_of(second, "archive"))]
    done.append(shop.send(path_of(second, "archive"), shop.form(path_of(first, "archive"))))

    assert "live at HF Space" in text_of(page)
    assert "latest published version of the package will be v1" in text_of(page)
    assert [each.status_code for each in done] == [303, 303]
    assert shop.versions.get(second.id).status == VersionStatus.ARCHIVED
    assert shop.versions.live(package.id, "hf_space") is None


def test_a_draft_cannot_be_archived(shop, first, draft):
    assert "only a published version" in text_of(shop.pages.get(path_of(draft, "archive")))

    done = shop.send(path_of(draft, "archive"), shop.form(path_of(first, "archive")))

    assert done.status_code == 409
    assert shop.versions.get(draft.id) == draft


# --- fork


def test_forking_asks_for_the_package_and_shows_the_difference(shop, first):
    other = shop.package("sales-bot")
    there = shop.published(other.id, **CHANGED)
    chosen = f"{path_of(first, 'fork')}?into={other.id}"
    assert f"into={other.id}" in shop.pages.get(path_of(first, "fork")).text

    page = shop.pages.get(chosen)
    once = shop.confirm(chosen)

    assert "r 16 8 \N{MINUS SIGN}8" in text_of(page)
    made = shop.versions.latest(other.id)
    assert once.headers["Location"] == f"{path_of(made)}?done=forked&source=1"
    assert (made.parent_version_id, made.version_number) == (first.id, there.version_number + 1)


def test_forking_twice_makes_one_draft(shop, first):
    other = shop.package("sales-bot")
    fields = shop.form(f"{path_of(first, 'fork')}?into={other.id}")

    once, again = (shop.send(path_of(first, "fork"), fields) for _ in range(2))

    assert once.headers["Location"] == again.headers["Location"]
    assert shop.versions.count(other.id) == 1


def test_forking_into_a_package_of_somebody_else_is_refused(shop, other_shop, first):
    other = shop.package("sales-bot")
    fields = shop.form(f"{path_of(first, 'fork')}?into={other.id}")

    theirs = other_shop.package()
    done = shop.send(path_of(first, "fork"), fields | {"into": str(theirs.id)})
    asked = shop.pages.get(f"{path_of(first, 'fork')}?into={theirs.id}")

    assert (asked.status_code, done.status_code) == (404, 404)


def test_packages_to_fork_into_can_be_searched(shop, first):
    wanted, unwanted = shop.package("wanted-bot"), shop.package("unlike it")

    page = shop.pages.get(f"{path_of(first, 'fork')}?text=wanted")

    assert str(wanted.id) in page.text
    assert str(unwanted.id) not in page.text


# --- deploy and undeploy


def test_deploying_says_what_it_replaces_and_records_it(shop, package, first):
    second = shop.published(package.id, **CHANGED)
    shop.versions.deploy(first.id, "local")
    page = shop.pages.get(path_of(second, "deploy"))

    done = shop.confirm(path_of(second, "deploy"), target="local", url="http://localhost:1")

    assert "Replaces v1" in text_of(page)
    assert done.headers["Location"] == f"{path_of(second)}?done=deployed&target=local"
    live = shop.versions.live(package.id, "local")
    assert (live.version_id, live.url) == (second.id, "http://localhost:1")


def test_deploying_twice_makes_one_stay(shop, package, first):
    fields = shop.form(path_of(first, "deploy")) | {"target": "local"}

    once, again = (shop.send(path_of(first, "deploy"), fields) for _ in range(2))

    assert (once.status_code, again.status_code) == (303, 303)
    assert len(shop.versions.deployments(package_id=package.id)) == 1


def test_deploying_over_another_version_than_was_shown_is_refused(shop, package, first):
    second = shop.published(package.id, **CHANGED)
    fields = shop.form(path_of(second, "deploy")) | {"target": "local"}
    shop.versions.deploy(first.id, "local")

    done = shop.send(path_of(second, "deploy"), fields)

    assert done.status_code == 409
    assert "Replaces v1" in text_of(done)
    assert shop.versions.live(package.id, "local").version_id == first.id


@pytest.mark.parametrize("typed", [{}, {"target": "moon"}, {"target": "local", "url": "u" * 2001}])
def test_what_cannot_be_deployed_comes_back(shop, package, first, typed):
    done = shop.confirm(path_of(first, "deploy"), **typed)

    assert done.status_code == 422
    assert typed.get("url", "") in done.text
    assert shop.versions.live(package.id, "local") is None


def test_a_draft_is_not_deployed(shop, first, draft):
    assert "publish it first" in text_of(shop.pages.get(path_of(draft, "deploy")))

    fields = shop.form(path_of(first, "deploy")) | {"target": "local"}
    done = shop.send(path_of(draft, "deploy"), fields)

    assert done.status_code == 409
    assert shop.versions.live(draft.package_id, "local") is None


def test_taking_down_ends_the_stay_that_was_shown(shop, package, first):
    shop.versions.deploy(first.id, "local")
    shop.versions.deploy(first.id, "hf_space")
    fields = shop.form(path_of(first, "undeploy")) | {"target": "local"}

    once, again = (shop.send(path_of(first, "undeploy"), fields) for _ in range(2))

    assert (once.status_code, again.status_code) == (303, 303)
    assert shop.versions.live(package.id, "local") is None
    assert shop.versions.live(package.id, "hf_space").version_id == first.id


def test_a_later_stay_than_was_shown_is_not_ended(shop, package, first):
    shop.versions.deploy(first.id, "local")
    fields = shop.form(path_of(first, "undeploy")) | {"target": "local"}
    shop.versions.undeploy(first.id)
    shop.versions.deploy(first.id, "local")

    done = shop.send(path_of(first, "undeploy"), fields)

    assert done.status_code == 409
    assert shop.versions.live(package.id, "local") is not None


# --- delete


def test_deleting_shows_what_is_lost_and_deletes_once(shop, package, first, draft):
    path = path_of(draft, "delete")
    page, fields = shop.pages.get(path), shop.form(path)

    once, again = (shop.send(path, fields) for _ in range(2))

    assert "r 8 16 +8" in text_of(page)
    assert [each.status_code for each in (once, again)] == [303, 303]
    assert once.headers["Location"] == f"/packages/{package.id}?done=deleted&number=2"
    with pytest.raises(NotFoundError):
        shop.versions.get(draft.id)


def test_a_draft_that_was_edited_meanwhile_is_not_deleted(shop, draft):
    fields = shop.form(path_of(draft, "delete"))
    shop.versions.update_draft(draft.id, config={"r": 99})

    done = shop.send(path_of(draft, "delete"), fields)

    assert done.status_code == 409
    assert "r 8 99 +91" in text_of(done)
    assert shop.versions.get(draft.id).config_snapshot == {"r": 99}


def test_a_published_version_is_not_deleted(shop, draft):
    fields = shop.form(path_of(draft, "delete"))
    shop.versions.publish(draft.id)

    done = shop.send(path_of(draft, "delete"), fields)

    assert done.status_code == 409
    assert "only a draft can be deleted" in text_of(shop.pages.get(path_of(draft, "delete")))


@pytest.mark.parametrize("action", ["restore", "publish", "deploy", "delete"])
@pytest.mark.parametrize("fields", [{}, {"token": "yesterday", "new_id": "x", "published": ""}])
def test_a_form_without_its_fields_is_refused(shop, first, draft, action, fields):
    version = first if action == "deploy" else draft

    done = shop.pages.submit(path_of(version, action), fields, page="/")

    assert done.status_code in (409, 422)
    assert shop.versions.get(draft.id) == draft
    assert shop.versions.count(draft.package_id) == 2
