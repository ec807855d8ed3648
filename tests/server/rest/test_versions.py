"""The endpoints of packages and versions: what they do, for whom, and how an edit is kept safe."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest

from tests.data import SNAPSHOTS
from tests.server.rest.conftest import PREFIX, Api, made, slug

COLUMNS = {f"{name}_snapshot": value for name, value in SNAPSHOTS.items()}


def test_a_draft_is_made_read_edited_published_and_archived(ada: Api) -> None:
    package = ada.package()
    created = ada.draft(package, change_summary="first", budget_limit="20.00")
    draft = created.json()
    path = f"/versions/{draft['id']}"

    assert created.headers["Location"] == PREFIX + path
    assert draft | COLUMNS == draft
    assert (draft["version_number"], draft["status"]) == (1, "draft")
    assert (draft["budget_limit"], draft["change_summary"]) == ("20.00", "first")
    assert ada.get(path).json() == draft

    edited = ada.put(path, {"config": {"r": 1}}, headers={"If-Match": created.headers["ETag"]})
    assert edited.status_code == 200
    assert edited.json() == draft | {
        "config_snapshot": {"r": 1},
        "updated_at": edited.json()["updated_at"],
    }

    published = made(ada.post(f"{path}/publish", headers={"If-Match": edited.headers["ETag"]}))
    assert (published["status"], published["name"]) == ("published", "bot-v1")
    assert made(ada.get(f"/packages/{package['id']}/latest"))["id"] == draft["id"]
    assert made(ada.get(f"/packages/{package['id']}/versions/1"))["id"] == draft["id"]

    assert made(ada.post(f"{path}/archive"))["status"] == "archived"
    assert slug(ada.get(f"/packages/{package['id']}/latest")) == "not-found"
    assert made(ada.get(f"/packages/{package['id']}/latest?status=any"))["id"] == draft["id"]


def test_what_is_left_out_of_an_edit_stays_and_null_empties(ada: Api) -> None:
    draft = ada.draft(change_summary="first", estimated_cost=1.5).json()

    edited = made(
        ada.put(f"/versions/{draft['id']}", {"change_summary": None}, headers={"If-Match": "*"})
    )

    assert (edited["change_summary"], edited["estimated_cost"]) == (None, "1.50")
    assert edited | COLUMNS == edited


def test_numbers_stay_as_they_are_written(ada: Api) -> None:
    body = (
        b'{"package_id": "%s", "config": {"a": 1, "b": 1.0, "c": 12345678901234567890, "d": 1e3}, \
"model": {}, "dataset": []}'
        % ada.package()["id"].encode()
    )

    answer = ada("POST", "/versions", content=body, headers={"Content-Type": "application/json"})

    assert '"config_snapshot":{"a":1,"b":1.0,"c":12345678901234567890,"d":1000' in answer.text


def test_a_package_is_made_read_changed_and_deleted(ada: Api) -> None:
    package = ada.package("one")
    path = f"/packages/{package['id']}"

    changed = made(ada("PATCH", path, json={"name": "two"}))

    assert changed == package | {"name": "two"}
    assert ada.get(path).json() == changed
    assert ada("DELETE", path).status_code == 204
    assert slug(ada.get(path)) == "not-found"


def test_a_package_is_written_as_long_as_it_is_the_one_that_was_read(ada: Api) -> None:
    path = f"/packages/{ada.package()['id']}"
    stale = {"If-Match": ada.get(path).headers["ETag"]}
    changed = ada("PATCH", path, json={"name": "two"}, headers=stale)

    answers = [
        ada("PATCH", path, json={"name": "three"}, headers=stale),
        ada("DELETE", path, headers=stale),
        ada("DELETE", path, headers={"If-Match": "W/" + changed.headers["ETag"]}),
        ada("DELETE", path, headers={"If-Match": "two"}),
    ]

    assert changed.status_code == 200
    assert [slug(answer) for answer in answers] == [*["edited-since"] * 3, "bad-header"]
    assert ada.get(path).json()["name"] == "two"
    assert ada("DELETE", path, headers={"If-Match": changed.headers["ETag"]}).status_code == 204


def test_a_list_links_its_next_page_and_ends(ada: Api) -> None:
    package = ada.package()
    ids = [ada.draft(package).json()["id"] for _ in range(5)]

    found: list[str] = []
    link = f"{PREFIX}/versions?package_id={package['id']}&order=oldest&limit=2"
    pages = 0
    while link:
        answer = ada.get(link.removeprefix(PREFIX))
        found += [version["id"] for version in answer.json()["items"]]
        link = answer.links.get("next", {}).get("url")
        assert (link is None) == (answer.json()["next_cursor"] is None)
        pages += 1

    assert (found, pages) == (ids, 3)


def test_versions_are_found_by_their_ids_and_numbers(ada: Api) -> None:
    package = ada.package()
    ids = [ada.draft(package).json()["id"] for _ in range(4)]
    path = f"/versions?package_id={package['id']}"

    def numbers(query: str) -> list[int]:
        return [each["version_number"] for each in ada.get(path + query).json()["items"]]

    assert numbers(f"&ids={ids[0]}&ids={ids[2]}") == [3, 1]
    assert numbers("&number_below=3&limit=1") == [2]
    assert numbers("&number_above=2&order=oldest") == [3, 4]
    assert numbers("&number_above=1&number_below=3") == [2]


def test_versions_are_found_by_what_they_contain(ada: Api) -> None:
    package = ada.package()
    ada.draft(package, config={"r": 8, "lora": {"alpha": 16}}, dataset=[{"id": "faq", "n": 1}])
    ada.draft(
        package, config={"r": 16}, model={"id": "é & %"}, dataset=[{"id": "faq"}, {"id": "b"}]
    )

    def numbers(**contained: object) -> list[int]:
        query = {"package_id": package["id"], "order": "oldest"}
        query |= {name: json.dumps(value) for name, value in contained.items()}
        return [
            each["version_number"] for each in ada.get("/versions", params=query).json()["items"]
        ]

    assert numbers(config_contains={"r": 8}) == [1]
    assert numbers(config_contains={"lora": {"alpha": 16}}) == [1]
    assert numbers(model_contains={"id": "é & %"}) == [2]
    assert numbers(dataset_contains=[{"id": "faq"}]) == [1, 2]
    assert numbers(dataset_contains=[{"id": "faq"}], config_contains={"r": 16}) == [2]
    assert numbers(config_contains={}) == [1, 2]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a":', "Expecting value. At line 1, column 6"),
        ("[" * 20_000, "It is nested too deeply"),
        ("\ufeff{}", "It begins with a byte order mark, which JSON has not"),
    ],
)
def test_a_filter_that_is_not_json_is_refused_in_one_sentence(
    ada: Api, text: str, problem: str
) -> None:
    reply = ada.get("/versions", params={"config_contains": text})

    (error,) = reply.json()["errors"]
    assert error == {"detail": f"Input should be JSON: {problem}", "parameter": "config_contains"}
    assert reply.json()["detail"] == f"One field is not valid: {error['detail']}."


def test_the_next_page_of_what_contains_something_contains_it_too(ada: Api) -> None:
    for config in ({"a": "+& %"}, {"a": "b"}, {"a": "+& %"}):
        ada.draft(config=config)

    page = ada.get("/versions", params={"config_contains": '{"a": "+& %"}', "limit": 1})
    second = ada.get(page.links["next"]["url"].removeprefix(PREFIX))

    assert [len(each.json()["items"]) for each in (page, second)] == [1, 1]
    assert "next" not in second.links


def test_packages_are_found_by_their_whole_name(ada: Api, bob: Api) -> None:
    names = ("Bot", "bot", "bots", "bot, é (1)")
    packages = {name: ada.package(name) for name in names}
    bob.package("bot")

    for name in names:
        for path in ("/packages", "/overviews"):
            found = ada.get(path, params={"name": name}).json()["items"]
            assert [each["id"] for each in found] == [packages[name]["id"]]
    assert ada.get("/packages", params={"name": "b"}).json()["items"] == []


def test_versions_are_compared_by_their_numbers(ada: Api, bob: Api) -> None:
    first = ada.draft(config={"r": 8, "a": 1}).json()
    second = ada.draft({"id": first["package_id"]}, config={"r": 16, "a": 2}).json()
    path = f"/packages/{first['package_id']}/versions"

    by_number = ada.get(f"{path}/1/compare/2").json()
    by_id = ada.get(f"/versions/{first['id']}/compare/{second['id']}").json()

    assert by_number == by_id | {"left": 1, "right": 2}
    (only,) = ada.get(f"{path}/1/compare/2?path=/config_snapshot/r").json()["changes"]
    assert (only["old"], only["new"]) == (8, 16)
    for api, numbers in ((ada, "1/compare/3"), (bob, "1/compare/2")):
        assert slug(api.get(f"{path}/{numbers}")) == "not-found"


def test_overviews_say_what_is_live_of_each_package(ada: Api) -> None:
    package, other = ada.package("one"), ada.package("two")
    version = ada.published(package)
    made(ada.post(f"/versions/{version['id']}/deploy", {"target": "local"}))
    ada.draft(other)

    page = ada.get("/overviews?order=oldest&limit=1")
    second = ada.get(page.links["next"]["url"].removeprefix(PREFIX)).json()
    found = ada.get(f"/overviews?ids={package['id']}").json()

    (one,), (two,) = page.json()["items"], second["items"]
    assert [live["target"] for live in one["live"]] == ["local"]
    assert (one["id"], two["id"], two["drafts"]) == (package["id"], other["id"], 1)
    assert found["items"] == [one]
    assert [each["id"] for each in ada.get(f"/packages?ids={other['id']}").json()["items"]] == [
        other["id"]
    ]


def test_deployments_of_a_moment_are_those_that_were_live_then(ada: Api) -> None:
    version = ada.published()
    made(ada.post(f"/versions/{version['id']}/deploy", {"target": "local"}))
    (live,) = ada.get("/deployments").json()["items"]

    then = ada.get("/deployments", params={"at": live["started_at"]})
    before = ada.get("/deployments?at=2020-01-01T00:00:00Z")

    assert then.json()["items"] == [live]
    assert before.json()["items"] == []


@pytest.mark.parametrize("what", ["versions", "packages"])
def test_cost_entries_come_in_pages(ada: Api, what: str) -> None:
    version = ada.published()
    for amount in ("1", "2", "3"):
        made(ada.post(f"/versions/{version['id']}/costs", {"amount": amount}))
    id_ = version["id"] if what == "versions" else version["package_id"]

    first = ada.get(f"/{what}/{id_}/costs?limit=2&order=oldest")
    second = ada.get(first.links["next"]["url"].removeprefix(PREFIX))

    amounts = [entry["amount"] for page in (first, second) for entry in page.json()["items"]]
    assert amounts == ["1.00", "2.00", "3.00"]
    assert "next" not in second.links
    assert slug(ada.get(f"/{what}/{uuid4()}/costs")) == "not-found"


def test_a_limit_above_the_cap_is_refused_not_cut(ada: Api) -> None:
    answer = ada.get("/versions?limit=201")

    assert (answer.status_code, slug(answer)) == (422, "invalid-input")
    assert answer.json()["errors"][0]["parameter"] == "limit"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/versions/{version}"),
        ("PUT", "/versions/{version}"),
        ("DELETE", "/versions/{version}"),
        ("POST", "/versions/{version}/publish"),
        ("POST", "/versions/{version}/archive"),
        ("POST", "/versions/{version}/restore"),
        ("GET", "/versions/{version}/lineage"),
        ("GET", "/versions/{version}/compare/{version}"),
        ("POST", "/versions/{version}/training/runs"),
        ("GET", "/versions/{version}/training/metrics"),
        ("POST", "/versions/{version}/undeploy"),
        ("GET", "/packages/{package}"),
        ("PATCH", "/packages/{package}"),
        ("DELETE", "/packages/{package}"),
        ("GET", "/packages/{package}/cost"),
        ("GET", "/packages/{package}/latest"),
    ],
)
def test_what_is_of_somebody_else_answers_as_what_is_not_there(
    ada: Api, bob: Api, method: str, path: str
) -> None:
    package = ada.package()
    version = ada.draft(package).json()
    body = {"name": "mine"} if method in ("PUT", "PATCH") else None
    nothing = str(uuid4())

    theirs, absent = (
        bob(method, path.format(**ids), json=body, headers={"If-Match": "*"})
        for ids in (
            {"version": version["id"], "package": package["id"]},
            {"version": nothing, "package": nothing},
        )
    )

    assert (theirs.status_code, slug(theirs)) == (404, "not-found")
    replaced = theirs.text.replace(version["id"], nothing).replace(package["id"], nothing)
    assert replaced == absent.text
    assert theirs.headers == absent.headers


class TestEdits:
    def test_without_if_match_an_edit_is_refused(self, ada: Api) -> None:
        draft = ada.draft().json()

        answer = ada.put(f"/versions/{draft['id']}", {"config": {}})

        assert (answer.status_code, slug(answer)) == (428, "if-match-required")

    def test_a_stale_one_is_told_both_moments_and_what_each_side_changed(self, ada: Api) -> None:
        created = ada.draft()
        path, stale = f"/versions/{created.json()['id']}", {"If-Match": created.headers["ETag"]}
        config = SNAPSHOTS["config"]
        current = made(ada.put(path, {"config": config | {"r": 1}}, headers=stale))

        answer = ada.put(path, {"config": config | {"lora_alpha": 2}}, headers=stale)

        problem = answer.json()
        assert (answer.status_code, slug(answer)) == (412, "edited-since")
        assert problem["expected_updated_at"] == created.json()["updated_at"]
        assert problem["updated_at"] == current["updated_at"]
        assert problem["changed_there"] == ["/config_snapshot/r"]
        assert problem["changed_here"] == ["/config_snapshot/r", "/config_snapshot/lora_alpha"]
        assert ada.get(path).json() == current

    @pytest.mark.parametrize("verb", ["publish", "delete"])
    def test_a_stale_one_neither_publishes_nor_deletes(self, ada: Api, verb: str) -> None:
        created = ada.draft()
        path, stale = f"/versions/{created.json()['id']}", {"If-Match": created.headers["ETag"]}
        ada.put(path, {"name": "other"}, headers=stale)

        if verb == "publish":
            answer = ada.post(f"{path}/publish", headers=stale)
        else:
            answer = ada("DELETE", path, headers=stale)

        assert (answer.status_code, slug(answer)) == (412, "edited-since")
        assert answer.json()["changed_there"] == ["/name"]
        assert ada.get(path).json()["status"] == "draft"

    def test_training_does_not_spend_the_tag(self, ada: Api) -> None:
        created = ada.draft()
        path = f"/versions/{created.json()['id']}"
        made(ada.post(f"{path}/training/runs"))

        answer = ada.put(path, {"name": "b"}, headers={"If-Match": created.headers["ETag"]})

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("header", "status"),
        [
            ("*", 200),
            ("{tag}", 200),
            ('"other", {tag}', 200),
            ("{tag},", 200),
            ('"2020-01-01T00:00:00.000000+00:00", {tag}', 200),
            ('"2999-01-01T00:00:00.000000+00:00", {tag}', 200),
            ("W/{tag}", 412),
            ('"other"', 412),
            ('"2020-01-01T00:00:00.000000+00:00"', 412),
            ('"2999-01-01T00:00:00.000000+00:00"', 412),
            ('""', 412),
            ("other", 400),
            ("", 412),
            (",", 412),
            ('*, "a"', 400),
            ('"a" "b"', 400),
            ('"a', 400),
            ("w/{tag}", 400),
            (", ".join(f'"2020-01-0{day}T00:00:00.000000+00:00"' for day in range(1, 10)), 400),
        ],
    )
    def test_if_match_is_read_as_rfc_9110_says(self, ada: Api, header: str, status: int) -> None:
        created = ada.draft()
        header = header.replace("{tag}", created.headers["ETag"])

        answer = ada.put(
            f"/versions/{created.json()['id']}", {"name": "b"}, headers={"If-Match": header}
        )

        assert answer.status_code == status, answer.text
        if status != 200:
            assert slug(answer) == {400: "bad-header", 412: "edited-since"}[status]

    def test_a_write_is_not_bound_to_what_is_not_there(self, ada: Api) -> None:
        created = ada.draft()
        path, tag = f"/versions/{created.json()['id']}", created.headers["ETag"]

        for method, known in (("PUT", "*"), ("PUT", tag), ("DELETE", "*")):
            headers = {"If-Match": tag, "If-None-Match": known}
            answer = ada(method, path, json={"name": "b"}, headers=headers)
            assert (answer.status_code, slug(answer)) == (400, "bad-header")

        assert ada.get(path).headers["ETag"] == tag

    def test_of_two_writers_with_the_same_tag_one_wins(self, ada: Api) -> None:
        assert ada.person is not None
        created = ada.draft()
        path, tag = f"{PREFIX}/versions/{created.json()['id']}", created.headers["ETag"]
        headers = {"Authorization": f"Bearer {ada.person.token}", "If-Match": tag}

        async def write() -> list[int]:
            put = ada.running.http.put
            names = (f"name {number}" for number in range(6))
            puts = [put(path, json={"name": name}, headers=headers) for name in names]
            return [answer.status_code for answer in await asyncio.gather(*puts)]

        assert sorted(ada.running.run(write())) == [200, *[412] * 5]

    def test_a_published_version_is_no_longer_edited_or_deleted(self, ada: Api) -> None:
        version = ada.published()
        path, any_state = f"/versions/{version['id']}", {"If-Match": "*"}

        edited = ada.put(path, {"name": "b"}, headers=any_state)
        deleted = ada("DELETE", path)

        assert [(each.status_code, slug(each)) for each in (edited, deleted)] == [
            (409, "not-a-draft")
        ] * 2
        assert edited.json()["code"] == "TV202"


class TestCaches:
    def test_what_the_client_has_is_not_sent_again(self, ada: Api) -> None:
        package = ada.package()
        version = ada.published(package)
        for path in (
            f"/versions/{version['id']}",
            f"/packages/{package['id']}",
            f"/packages/{package['id']}/latest",
            f"/packages/{package['id']}/versions/1",
        ):
            tag = ada.get(path).headers["ETag"]
            for known in (tag, f"W/{tag}", f'"a", {tag}', "*"):
                answer = ada.get(path, headers={"If-None-Match": known})
                assert (answer.status_code, answer.content) == (304, b"")
                assert answer.headers["ETag"] == tag
            assert ada.get(path, headers={"If-None-Match": '"a"'}).status_code == 200
            assert slug(ada.get(path, headers={"If-None-Match": "a"})) == "bad-header"

    def test_whatever_a_version_shows_moves_its_tag(self, ada: Api) -> None:
        path = f"/versions/{ada.published()['id']}"
        tags = [ada.get(path).headers["ETag"]]
        for verb, body in (
            ("training/runs", None),
            ("training/metrics", {"metrics": {"loss": 1}}),
            ("costs", {"amount": "1"}),
            ("deploy", {"target": "local"}),
            ("undeploy", None),
            ("archive", None),
        ):
            made(ada.post(f"{path}/{verb}", body))
            tags.append(ada.get(path).headers["ETag"])

        assert len(set(tags)) == 7

    def test_only_the_callers_own_cache_may_keep_a_reply(self, ada: Api) -> None:
        answer = ada.get("/versions")

        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Vary"] == "Authorization"
