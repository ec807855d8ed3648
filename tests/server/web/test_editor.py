"""The editor of a draft without a browser: what its forms and its script send, and the answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.server.web.conftest import SECRET
from tests.server.web.drafting import CONFIG, Drafter, Tab, form_of, path_of
from tests.server.web.visitor import OURS, Visitor, csrf_token
from training_versions import Version
from training_versions.local import LocalSupabase
from training_versions.web import create_app


@pytest.fixture
def ada(stack: LocalSupabase, owner_email: str) -> Drafter:
    return Drafter.of(stack, owner_email)


@pytest.fixture
def draft(owner_page: Visitor, ada: Drafter) -> Version:
    return ada.draft()


@pytest.fixture
def tab(owner_page: Visitor, draft: Version) -> Tab:
    return Tab(owner_page, draft)


# --- a script saves


def test_a_save_changes_the_fields_that_it_names_and_no_others(
    tab: Tab, ada: Drafter, draft: Version
) -> None:
    reply = tab.save(config='{"r": 8}', budget_limit="12.5", change_summary="a\nb")

    now = ada.now(draft)
    assert reply.status_code == 200
    assert reply.json()["state"] == "saved"
    assert reply.json()["token"] == now.updated_at.isoformat()
    assert now.config_snapshot == {"r": 8}
    assert now.budget_limit == Decimal("12.50")
    assert now.change_summary == "a\nb"
    assert now.model_snapshot == draft.model_snapshot
    assert now.name == draft.name


NUMBERS = {
    "one": "1",
    "one as a float": "1.0",
    "a large integer": "123456789012345678901234567890",
    "many digits": "0.30000000000000004",
    "small": "1e-07",
}


def test_numbers_are_stored_as_they_are_typed_and_shown_as_they_are_stored(
    tab: Tab, ada: Drafter, draft: Version, owner_page: Visitor
) -> None:
    members = ", ".join(f'"{key}": {number}' for key, number in NUMBERS.items())

    assert tab.save(config=f"{{{members}}}").json()["state"] == "saved"

    shown = form_of(owner_page.get(tab.path))["config"]
    assert all(f'"{key}": {number}' in shown for key, number in NUMBERS.items())


REFUSED = {
    "config": ('{"hub_token": "hf_abcdefghijklmnopqrstuvwxyz0123456"}', "contains a secret"),
    "model": ("[]", "must be an object"),
    "dataset": ('[{"id": 1}, 2]', "dataset[1] must be an object"),
    "name": (" ", "must not be blank"),
    "change_summary": ("x" * 10_001, "10,000 is the most"),
    "budget_limit": ("12,50", "at most two decimals"),
    "estimated_cost": ("-1", "must be 0 to"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_field_that_is_refused_says_why_and_does_not_hold_up_the_others(
    tab: Tab, ada: Drafter, draft: Version, name: str
) -> None:
    other = "model" if name == "config" else "config"
    text, why = REFUSED[name]

    reply = tab.save(**{name: text, other: '{"other": true}'})

    body, now = reply.json(), ada.now(draft)
    assert reply.status_code == 422
    assert body["state"] == "refused"
    assert why in body["problems"][name]["message"]
    assert list(body["problems"]) == [name]
    assert body["token"] == now.updated_at.isoformat()
    assert getattr(now, f"{other}_snapshot") == {"other": True}
    assert "abcdefghijklmnop" not in reply.text


def test_a_mistake_in_json_says_its_place_and_nothing_is_written(
    tab: Tab, ada: Drafter, draft: Version
) -> None:
    text = '{\n  "r": 16\n  "alpha": 32\n}'

    checked = tab.send("/check", {"config": text, "model": "{}"})
    saved = tab.save(config=text)

    for reply, status in ((checked, 200), (saved, 422)):
        problem = reply.json()["problems"]["config"]
        assert reply.status_code == status
        assert problem["offset"] == text.index('"alpha"')
        assert "a comma is missing" in problem["message"]
        assert "Line 3, column 3" in problem["html"]
        assert list(reply.json()["problems"]) == ["config"]
    assert "token" not in saved.json()
    assert ada.now(draft) == draft


def test_whoever_types_a_secret_reads_what_to_do_about_it(tab: Tab) -> None:
    (problem,) = tab.save(config='{"hub_token": "x1"}').json()["problems"].values()

    assert "leave the secret out, or store the name of the environment variable" in problem["html"]
    assert "allow_secrets" not in problem["html"]


def test_the_later_of_two_tabs_writes_nothing_and_gets_both_sides(
    tab: Tab, ada: Drafter, draft: Version
) -> None:
    theirs = ada.versions.update_draft(draft.id, config=CONFIG | {"r": 64})
    mine = json.dumps(CONFIG | {"seed": 7})

    reply = tab.save(config=mine)
    both = tab.compare(config=mine)

    assert (reply.status_code, reply.json()["state"]) == (409, "conflict")
    assert ada.now(draft) == theirs
    body = both.json()
    assert (both.status_code, body["state"]) == (200, "compared")
    assert body["can_merge"]
    assert json.loads(body["merged"]["config"]) == CONFIG | {"r": 64, "seed": 7}
    assert json.loads(body["texts"]["config"]) == CONFIG | {"r": 64}
    assert body["token"] == theirs.updated_at.isoformat()
    assert "Config / r" in body["html"]
    assert "Config / seed" in body["html"]


def test_an_amount_that_older_rules_let_pass_holds_up_neither_a_save_nor_a_merge(
    owner_page: Visitor,
    ada: Drafter,
    draft: Version,
    damage: Callable[[Version, str], None],
) -> None:
    damage(draft, "budget_limit = -5")
    tab = Tab(owner_page, draft)
    ada.versions.update_draft(draft.id, config=CONFIG | {"r": 64})

    reply = tab.save(config=json.dumps(CONFIG | {"seed": 7}))
    both = tab.compare(config=json.dumps(CONFIG | {"seed": 7}))

    assert (reply.status_code, both.status_code) == (409, 200), both.text
    assert both.json()["can_merge"]
    assert both.json()["texts"]["budget_limit"] == "-5.00"

    # Also where the amount is what the other side changed.
    ada.versions.update_draft(draft.id, budget_limit=5)
    both = tab.compare(config=json.dumps(CONFIG | {"seed": 7}))
    assert json.loads(both.json()["merged"]["config"]) == CONFIG | {"r": 64, "seed": 7}
    assert "Budget" in both.json()["html"]


def test_both_sides_show_an_amount_as_its_field_does(
    tab: Tab, ada: Drafter, draft: Version
) -> None:
    ada.versions.update_draft(draft.id, estimated_cost="12.5")

    both = tab.compare(estimated_cost="33").json()

    assert "<code>33.00</code>" in both["html"]
    assert "<code>12.50</code>" in both["html"]


def test_what_overlaps_is_not_merged(tab: Tab, ada: Drafter, draft: Version) -> None:
    ada.versions.update_draft(draft.id, config=CONFIG | {"r": 64})

    body = tab.compare(config=json.dumps(CONFIG | {"r": 8})).json()
    unreadable = tab.compare(config='{"r": ').json()

    for conflict in (body, unreadable):
        assert not conflict["can_merge"]
        assert conflict["merged"] is None
        assert "both changed it" in conflict["html"]


def test_a_save_that_was_carried_out_already_is_no_conflict(
    tab: Tab, ada: Drafter, draft: Version
) -> None:
    mine = '{"r": 8}'
    first = tab.save(config=mine).json()

    again = tab.save(config=mine)
    both = tab.compare(config=mine).json()

    assert again.status_code == 200
    assert again.json()["token"] == first["token"]
    assert not both["has_mine"]


def test_a_save_that_changes_nothing_shows_by_its_marks_that_another_one_did(
    tab: Tab, ada: Drafter, draft: Version
) -> None:
    before = tab.save(change_summary="x").json()["marks"]
    ada.versions.update_draft(draft.id, config={"r": 1.0}, name="same")

    after = tab.save(name="same").json()

    assert after["state"] == "saved"
    assert after["marks"]["config"] != before["config"]
    assert after["marks"]["model"] == before["model"]


@pytest.mark.parametrize("end", ["published", "archived", "deleted"])
def test_a_version_that_is_no_draft_any_more_takes_nothing_and_says_why(
    tab: Tab, ada: Drafter, draft: Version, owner_page: Visitor, end: str
) -> None:
    if end == "deleted":
        ada.versions.delete_draft(draft.id)
    else:
        ada.versions.publish(draft.id)
    if end == "archived":
        ada.versions.archive(draft.id)

    for reply in (tab.save(config='{"r": 8}'), tab.compare(config='{"r": 8}')):
        assert reply.status_code == 409
        assert reply.json()["state"] == "ended"
        assert {"deleted": "not there"}.get(end, end) in reply.json()["html"]

    form = tab.form | {"config": '{"r": 8, "typed": "for an hour"}', "csrf_token": tab.csrf_token}
    shown = owner_page.post(tab.path, form, headers=OURS)
    assert shown.status_code == 409
    assert "for an hour" in shown.text
    assert "readonly" in shown.text


def test_a_stranger_neither_sees_nor_changes_a_draft(
    tab: Tab, ada: Drafter, draft: Version, new_visitor, stranger_email: str
) -> None:
    stranger = new_visitor()
    stranger.sign_in(stranger_email)

    assert stranger.get(tab.path).status_code == 404
    tab.visitor, tab.csrf_token = stranger, csrf_token(stranger.get("/"))
    reply = tab.save(config="{}")

    assert reply.json()["state"] == "ended"
    assert "support-bot" not in reply.text
    assert ada.now(draft) == draft


def test_who_is_signed_out_is_told_so(tab: Tab, ada: Drafter, draft: Version) -> None:
    tab.visitor.http.cookies.clear()

    reply = tab.save(config="{}")

    assert reply.status_code == 401
    assert ada.now(draft) == draft


BAD_FORMS = {
    "version_id": "x",
    "token": "yesterday",
    "their_token": "tomorrow",
}


@pytest.mark.parametrize("name", BAD_FORMS)
def test_a_form_that_no_page_of_ours_sends_is_refused(tab: Tab, name: str) -> None:
    reply = tab.save(**{name: BAD_FORMS[name], "config": "{}"})

    assert reply.status_code == 422
    assert name in reply.text


# --- without scripts


def test_without_scripts_the_form_saves_what_was_changed_and_nothing_else(
    owner_page: Visitor, ada: Drafter
) -> None:
    draft = ada.draft(change_summary="one\rtwo\r\nthree\n", name=" a\nname ")
    page = owner_page.get(path_of(draft))

    unchanged = owner_page.post(path_of(draft), form_of(page), headers=OURS)
    edited = form_of(page) | {"config": '{"r": 8}'}
    saved = owner_page.post(path_of(draft), edited, headers=OURS)

    now = ada.now(draft)
    assert unchanged.status_code == saved.status_code == 303
    assert "Saved." in owner_page.get(saved.headers["Location"]).text
    assert now.config_snapshot == {"r": 8}
    assert (now.change_summary, now.name) == (draft.change_summary, draft.name)
    assert ada.now(draft).updated_at > draft.updated_at


def test_without_scripts_a_refused_form_keeps_all_that_was_typed(
    owner_page: Visitor, ada: Drafter, draft: Version
) -> None:
    form = form_of(owner_page.get(path_of(draft)))
    typed = form | {"config": "{'r': 8}", "change_summary": "rank", "name": ""}

    page = owner_page.post(path_of(draft), typed, headers=OURS)

    assert page.status_code == 422
    again = form_of(page)
    assert (again["config"], again["name"]) == ("{'r': 8}", "")
    assert ada.now(draft).change_summary == "rank"
    assert "Saved, all but: Name and Config." in page.text

    saved = owner_page.post(
        path_of(draft), again | {"config": '{"r": 8}', "name": "n"}, headers=OURS
    )
    assert saved.status_code == 303
    assert ada.now(draft).config_snapshot == {"r": 8}


@pytest.mark.parametrize("action", ["merge", "overwrite", "discard"])
def test_without_scripts_a_conflict_is_decided_on_the_page(
    owner_page: Visitor, ada: Drafter, draft: Version, action: str
) -> None:
    form = form_of(owner_page.get(path_of(draft)))
    ada.versions.update_draft(draft.id, config=CONFIG | {"r": 64}, change_summary="theirs")
    typed = form | {"config": json.dumps(CONFIG | {"seed": 7})}

    page = owner_page.post(path_of(draft), typed, headers=OURS)
    assert page.status_code == 409
    decided = owner_page.post(path_of(draft), form_of(page) | {"action": action}, headers=OURS)

    now = ada.now(draft)
    assert decided.status_code == 303
    assert now.change_summary == "theirs"
    assert (
        now.config_snapshot
        == {
            "merge": CONFIG | {"r": 64, "seed": 7},
            "overwrite": CONFIG | {"seed": 7},
            "discard": CONFIG | {"r": 64},
        }[action]
    )


def test_without_scripts_nothing_is_decided_about_a_side_that_was_not_shown(
    owner_page: Visitor, ada: Drafter, draft: Version
) -> None:
    form = form_of(owner_page.get(path_of(draft)))
    ada.versions.update_draft(draft.id, config=CONFIG | {"r": 64})
    page = owner_page.post(path_of(draft), form | {"config": "{}"}, headers=OURS)
    last = ada.versions.update_draft(draft.id, config=CONFIG | {"r": 128})

    shown = owner_page.post(path_of(draft), form_of(page) | {"action": "overwrite"}, headers=OURS)

    assert shown.status_code == 409
    assert "128" in shown.text
    assert ada.now(draft) == last


HOSTILE = "</textarea><script>alert(1)</script>\u202e\"'&amp;\x7f"


def test_hostile_content_comes_back_as_it_was_and_never_as_markup(
    owner_page: Visitor, ada: Drafter
) -> None:
    content = {HOSTILE: HOSTILE, "\n": "\t\u2028", "": [[], {}, None]}
    draft = ada.draft(
        HOSTILE,
        config=content,
        model=content,
        dataset=[content],
        name=HOSTILE,
        change_summary=f"\n{HOSTILE}",
    )

    page = owner_page.get(path_of(draft))
    form = form_of(page)

    assert "<script>alert" not in page.text
    assert json.loads(form["config"]) == content
    assert (form["name"], form["change_summary"]) == (HOSTILE, f"\r\n{HOSTILE}")
    assert owner_page.post(path_of(draft), form, headers=OURS).status_code == 303
    assert ada.now(draft) == draft


@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00x", "\\u0000"])
def test_what_is_no_text_is_refused_with_its_place_also_in_a_conflict(
    tab: Tab, ada: Drafter, draft: Version, escape: str
) -> None:
    theirs = ada.versions.update_draft(draft.id, config=CONFIG | {"r": 64})
    mine = f'{{"name": "{escape}"}}'

    for reply in (tab.save(config=mine), tab.compare(config=mine)):
        assert reply.status_code in (200, 422)
        assert reply.json()["problems"]["config"]["offset"] == mine.index(escape)
    assert ada.now(draft) == theirs


def test_without_scripts_a_form_that_lacks_a_field_is_refused_and_names_it(
    owner_page: Visitor, ada: Drafter, draft: Version
) -> None:
    form = form_of(owner_page.get(path_of(draft)))

    for name in ("model", "base.model"):
        lacking = {key: text for key, text in form.items() if key != name} | {"config": "{}"}
        reply = owner_page.post(path_of(draft), lacking, headers=OURS)

        assert reply.status_code == 422
        assert "The form has no field model." in reply.text
    assert ada.now(draft) == draft


def test_without_scripts_what_was_typed_is_shown_again_when_the_project_is_out_of_reach(
    owner_page: Visitor, draft: Version, stack: LocalSupabase, run: Callable[..., Any]
) -> None:
    typed = form_of(owner_page.get(path_of(draft))) | {"config": '{"typed": "for an hour"}'}
    cookies = "; ".join(f"{name}={text}" for name, text in owner_page.http.cookies.items())
    here, nowhere = (project_of(url) for url in (stack.url, NOWHERE))

    async def send() -> httpx.Response:
        app = create_app(url=NOWHERE, key=stack.publishable_key, secret=SECRET)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://pages.test") as http,
        ):
            headers = OURS | {"Cookie": cookies.replace(here, nowhere)}
            return await http.post(path_of(draft), data=typed, headers=headers)

    page = run(send())

    again = form_of(page)
    assert page.status_code == 503
    assert "nothing was changed" in page.text
    kept = {"csrf_token": typed["csrf_token"]}
    assert again | kept == typed


NOWHERE = "http://127.0.0.1:9"


def project_of(url: str) -> str:
    """What the cookies of a project have in their names."""
    return hashlib.sha256(url.encode()).hexdigest()[:8]


def test_there_is_no_editor_of_what_is_not_there(owner_page: Visitor, draft: Version) -> None:
    assert owner_page.get(f"/packages/{draft.package_id}/v/99/edit").status_code == 404
    assert owner_page.get("/packages/x/v/1/edit").status_code == 404
