"""Odd texts come back equal, and a filter finds exactly the rows that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.data import EMPTY

TEXTS = {
    "double quotes": 'say "hi"',
    "only a quote": '"',
    "single quotes": "it's",
    "commas": "a,b,,c",
    "parentheses": "f(x)) or (y",
    "dots": "v1.2.eq.3",
    "a dot": ".",
    "percent": "100%",
    "only a percent": "%",
    "encoded percent": "%2C%28",
    "star": "a*b",
    "only a star": "*",
    "underscore": "a_b",
    "backslash": "C:\\new\\table",
    "only a backslash": "\\",
    "two backslashes": "\\\\",
    "backslash and quote": '\\"',
    "newlines": "one\ntwo\r\nthree",
    "tab": "a\tb",
    "regex": "^a.+[b-c]{2}|(?i)d$?",
    "regex escapes": "\\d\\w\\m",
    "regex director": "***=x",
    "braces": '{"r": 8}',
    "brackets": "[1,2]",
    "ampersand": "a&select=*&limit=1",
    "question and hash": "a?b#c",
    "plus and blanks": "a + b  c",
    "slash": "../../rpc/delete",
    "semicolon": "'; drop table x; --",
    "postgrest syntax": "name.eq.x,or(and(id.not.is.null))",
    "null word": "null",
    "true word": "true",
    "number": "123",
    "emoji": "launch 🚀👩‍👩‍👧",
    "a flag": "🇩🇪",
    "right to left": "גרסה ראשונה",
    "arabic with marks": "نُسْخَة",
    "right to left override": "abc\u202edef",
    "chinese": "版本一",
    "accents": "café ÀÉÎ",
    "combining": "cafe\u0301",
    "zero width": "a\u200bb",
    "control": "a\x01\x1b[31mb",
    "beyond the plane": "𝒳𐍈",
    "not a character": "a\uffff",
    "line separator": "a\u2028b",
    "leading blanks": "  x",
}


@dataclass(frozen=True)
class Shelf:
    """For every text a version with that name, one with that summary, and a package."""

    who: Any
    package_id: Any
    names: dict[Any, str]
    summaries: dict[Any, str]


@pytest.fixture(scope="module")
def shelf(connect, person):
    ada = connect(person())
    package_id = ada.package("support-bot").id
    names: dict[Any, str] = {}
    summaries: dict[Any, str] = {}
    for text in TEXTS.values():
        config, model, dataset = {"text": text, text: 1}, {"in": [{"deep": text}]}, [{"id": text}]
        named = ada.draft(package_id, config=config, model=model, dataset=dataset, name=text)
        summarised = ada.draft(package_id, **EMPTY, name="plain", change_summary=text)
        assert (named.name, summarised.change_summary) == (text, text)
        assert (named.config_snapshot, named.model_snapshot) == (config, model)
        assert named.dataset_snapshot == dataset
        ada.package(text, template_type=text, config={"text": text})
        names[named.id], summaries[summarised.id] = text, text
    return Shelf(ada, package_id, names, summaries)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_filter_finds_exactly_what_holds_the_text(shelf, text):
    wanted = text.lower()
    expected = {
        key
        for of in (shelf.names, shelf.summaries)
        for key, held in of.items()
        if wanted in held.lower() or (of is shelf.summaries and wanted in "plain")
    }

    found = shelf.who.versions.iterate(shelf.package_id, text=text)

    assert {version.id for version in found} == expected


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_package_is_found_by_the_text_of_its_name_and_by_its_type(shelf, text):
    by_name = {package.name for package in shelf.who.packages.list(text=text, limit=100).items}
    (by_type,) = shelf.who.packages.list(template_type=text).items

    assert by_name == {
        held for held in [*TEXTS.values(), "support-bot"] if text.lower() in held.lower()
    }
    assert (by_type.name, by_type.template_type, by_type.config_json) == (
        text,
        text,
        {"text": text},
    )


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_containment_filter_finds_exactly_what_contains_the_text(shelf, text):
    (expected,) = (key for key, held in shelf.names.items() if held == text)
    versions = shelf.who.versions

    together = {
        "dataset_contains": [{"id": text}],
        "config_contains": {text: 1, "text": text},
        "text": text,
    }
    assert [version.id for version in versions.list(shelf.package_id, **together).items] == [
        expected
    ]
    # Each of these lets the same one through, and as there is only one, no other.
    assert versions.count(shelf.package_id, config_contains={"text": text}) == 1
    assert versions.count(shelf.package_id, config_contains={text: 1}) == 1
    assert versions.count(shelf.package_id, model_contains={"in": [{"deep": text}]}) == 1
    assert versions.count(shelf.package_id, dataset_contains={"id": text}) == 1


def test_text_is_found_in_any_case_beyond_ascii_too(ada, package):
    draft = ada.draft(package, name="Ärger im CAFÉ — ПРИВЕТ")

    for text in ("ärger", "café", "Café", "привет", "Привет", "im café"):
        assert [version.id for version in ada.versions.iterate(text=text)] == [draft.id], text


@pytest.mark.parametrize("text", ['"', "\\", "%", "*", "a", "\n", "🚀"], ids=repr)
def test_a_cursor_holds_with_filters_of_odd_text(shelf, text):
    wanted: dict[str, Any] = {"text": text, "order": "oldest"}
    whole = [version.id for version in shelf.who.versions.iterate(shelf.package_id, **wanted)]
    first = shelf.who.versions.list(shelf.package_id, limit=1, **wanted)

    second = shelf.who.versions.list(shelf.package_id, limit=1, cursor=first.next_cursor, **wanted)

    assert [version.id for page in (first, second) for version in page.items] == whole[:2]


def test_names_and_summaries_of_the_greatest_length_work(ada, package):
    long = {"name": "🚀" * 255, "change_summary": "\\\n\"'%🚀" * 1_666 + "abcd"}
    assert len(long["change_summary"]) == 10_000

    draft = ada.draft(package, **long)
    renamed = ada.packages.update(package.id, name="ي" * 255, template_type="🚀" * 100)

    assert (draft.name, draft.change_summary) == tuple(long.values())
    assert ada.versions.list().items[0].change_summary == long["change_summary"]
    assert ada.versions.publish(draft.id, name="ש" * 255).name == "ש" * 255
    assert (renamed.name, renamed.template_type) == ("ي" * 255, "🚀" * 100)


@pytest.mark.parametrize("char", ["x", ".", "\\", "🚀", "%"])
def test_a_text_filter_longer_than_a_name_works(ada, package, char):
    draft = ada.draft(package, name="start " + char * 249)
    ada.draft(package, name=char * 249)

    found = ada.versions.iterate(text="start " + char * 249)
    assert [version.id for version in found] == [draft.id]
    assert ada.versions.list(text=char * 500).items == []


def test_a_containment_filter_of_kilobytes_works(ada, package):
    config = {"x": "🚀" * 1_000}
    draft = ada.draft(package, config=config)

    assert [version.id for version in ada.versions.iterate(config_contains=config)] == [draft.id]


@pytest.mark.parametrize("text", ["100% (a,b).*", "גרסה", "-draft-20250101", "🚀" * 255])
def test_default_names_keep_the_odd_name_of_the_package(ada, text):
    draft = ada.draft(ada.package(text))

    suffix = f"-draft-{draft.created_at:%Y%m%d}"
    assert draft.name.startswith(text[:200])
    assert draft.name.endswith(f"-v1{suffix}")
    assert len(draft.name) <= 255
    assert ada.versions.publish(draft.id).name == draft.name.removesuffix(suffix)
