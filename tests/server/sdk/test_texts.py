"""Odd texts, as values and in filters: they come back equal, and a filter finds exactly the rows that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from training_versions import InvalidInputError

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


# What is sent is made by the code that both faces share: once is enough for what takes long.
once = pytest.mark.parametrize("connect", ["sync"], indirect=True)


@dataclass(frozen=True)
class Shelf:
    """A version named for every text, another with it as its summary, and a package; each text is in nothing else."""

    who: Any
    package_id: Any
    names: dict[Any, str]
    summaries: dict[Any, str]


@pytest.fixture(scope="module")
def shelf(connect: Any, person: Any) -> Shelf:
    ada = connect(person())
    package_id = ada.packages.create("support-bot", template_type="lora", config={}).id
    names: dict[Any, str] = {}
    summaries: dict[Any, str] = {}
    for text in TEXTS.values():
        content = {
            "config": {"text": text, text: 1},
            "model": {"in": [{"deep": text}]},
            "dataset": [{"id": text}],
        }
        named = ada.versions.create_draft(package_id, **content, name=text)
        plain = {"config": {}, "model": {}, "dataset": []}
        summarised = ada.versions.create_draft(
            package_id, **plain, name="plain", change_summary=text
        )
        assert (named.name, summarised.change_summary) == (text, text)
        assert (named.config_snapshot, named.model_snapshot, named.dataset_snapshot) == tuple(
            content.values()
        )
        ada.packages.create(text, template_type=text, config={"text": text})
        names[named.id], summaries[summarised.id] = text, text
    return Shelf(ada, package_id, names, summaries)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_filter_finds_exactly_what_holds_the_text(shelf: Shelf, text: str) -> None:
    wanted = text.lower()
    expected = {
        key
        for of in (shelf.names, shelf.summaries)
        for key, held in of.items()
        if wanted in held.lower() or (of is shelf.summaries and wanted in "plain")
    }

    found = shelf.who.versions.iterate(shelf.package_id, text=text)

    assert {version.id for version in found} == expected


@once
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_package_is_found_by_the_text_of_its_name_and_by_its_type(
    shelf: Shelf, text: str
) -> None:
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


@once
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_containment_filter_finds_exactly_what_contains_the_text(shelf: Shelf, text: str) -> None:
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


def test_text_is_found_in_any_case_beyond_ascii_too(ada: Any, package: Any, snapshots: Any) -> None:
    draft = ada.versions.create_draft(package.id, **snapshots, name="Ärger im CAFÉ — ПРИВЕТ")

    for text in ("ärger", "café", "Café", "привет", "Привет", "im café"):
        assert [version.id for version in ada.versions.iterate(text=text)] == [draft.id], text


@pytest.mark.parametrize("text", ['"', "\\", "%", "*", "a", "\n", "🚀"], ids=repr)
def test_a_cursor_holds_with_filters_of_odd_text(shelf: Shelf, text: str) -> None:
    wanted: dict[str, Any] = {"text": text, "order": "oldest"}
    whole = [version.id for version in shelf.who.versions.iterate(shelf.package_id, **wanted)]
    first = shelf.who.versions.list(shelf.package_id, limit=1, **wanted)

    second = shelf.who.versions.list(shelf.package_id, limit=1, cursor=first.next_cursor, **wanted)

    assert [version.id for page in (first, second) for version in page.items] == whole[:2]


def test_names_and_summaries_of_the_greatest_length_work(
    ada: Any, package: Any, snapshots: Any
) -> None:
    long = {"name": "🚀" * 255, "change_summary": "\\\n\"'%🚀" * 1_666 + "abcd"}
    assert len(long["change_summary"]) == 10_000

    draft = ada.versions.create_draft(package.id, **snapshots, **long)
    renamed = ada.packages.update(package.id, name="ي" * 255, template_type="🚀" * 100)

    assert (draft.name, draft.change_summary) == tuple(long.values())
    assert ada.versions.list().items[0].change_summary == long["change_summary"]
    assert ada.versions.publish(draft.id, name="ש" * 255).name == "ש" * 255
    assert (renamed.name, renamed.template_type) == ("ي" * 255, "🚀" * 100)


@pytest.mark.parametrize("char", ["x", ".", "\\", "🚀", "%"])
def test_a_text_filter_longer_than_a_name_works_and_a_far_longer_one_says_the_limit(
    ada: Any, package: Any, snapshots: Any, char: str
) -> None:
    draft = ada.versions.create_draft(package.id, **snapshots, name="start " + char * 249)
    ada.versions.create_draft(package.id, **snapshots, name=char * 249)

    assert [version.id for version in ada.versions.iterate(text="start " + char * 249)] == [
        draft.id
    ]
    assert ada.versions.list(text=char * 500).items == []
    ada.sent.clear()

    with pytest.raises(InvalidInputError, match="500 is the most") as caught:
        ada.versions.list(text=char * 10_000)

    assert caught.value.field == "text"
    assert ada.sent == []


def test_a_containment_filter_of_kilobytes_works(ada: Any, package: Any) -> None:
    draft = ada.versions.create_draft(package.id, config={"x": "🚀" * 1_000}, model={}, dataset=[])

    assert [
        version.id for version in ada.versions.iterate(config_contains={"x": "🚀" * 1_000})
    ] == [draft.id]


@pytest.mark.parametrize("length", [10_000, 100_000])
def test_a_containment_filter_that_is_too_long_says_the_limit(ada: Any, length: int) -> None:
    with pytest.raises(InvalidInputError, match=r"\d") as caught:
        ada.versions.list(config_contains={"x": "🚀" * length})

    assert caught.value.field == "config_contains"
    assert len(caught.value.message) < 300
    assert ada.sent == []


def test_filters_that_are_too_long_together_say_the_limit(ada: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"\d") as caught:
        ada.versions.count(config_contains={"x": "🚀" * 3_000}, model_contains={"x": "🚀" * 3_000})

    assert "_contains" in caught.value.message
    assert ada.sent == []


def test_default_names_keep_the_odd_name_of_the_package(ada: Any, snapshots: Any) -> None:
    for text in ("100% (a,b).*", "גרסה", "-draft-20250101", "🚀" * 255):
        package = ada.packages.create(text, template_type="lora", config={})

        draft = ada.versions.create_draft(package.id, **snapshots)

        assert draft.name.startswith(text[:200])
        assert draft.name.endswith(f"-v1-draft-{draft.created_at:%Y%m%d}")
        assert len(draft.name) <= 255
        assert ada.versions.publish(draft.id).name == draft.name.removesuffix(
            f"-draft-{draft.created_at:%Y%m%d}"
        )
