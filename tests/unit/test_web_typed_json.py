"""JSON as people type it: what is kept, and how a mistake is explained."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_versions.web.views.typed_json import Mistake, read_json

KEPT: dict[str, Any] = {
    "1": 1,
    "1.0": 1.0,
    "1.10": 1.1,
    "-0.5e-3": -0.0005,
    "1e5": 100000.0,
    "12345678901234567890123": 12345678901234567890123,
    "1e23": 10**23,
    '{"b": 1, "a": [true, false, null, "\\u00e9"]}': {"b": 1, "a": [True, False, None, "é"]},
    ' \r\n\t{"": {}}\n': {"": {}},
}


@pytest.mark.parametrize("text", KEPT)
def test_what_is_typed_is_what_is_read(text: str) -> None:
    read = read_json(text)

    assert read == KEPT[text]
    assert type(read) is type(KEPT[text])


MISTAKES: list[tuple[str, int, int, str]] = [
    ("", 1, 1, "nothing here yet"),
    (" \n ", 2, 2, "nothing here yet"),
    ('{"r": 16', 1, 9, "{ of line 1 is not closed: a } is missing"),
    ('{"a":\n  [1,\n 2', 3, 3, "[ of line 2 is not closed: a ] is missing"),
    ('{\n  "r": 16,\n}', 2, 10, "One comma too many"),
    ("[1,,2]", 1, 4, "an entry is missing, before the comma"),
    ('{,"a": 1}', 1, 2, "One comma too many"),
    ('{"a": 1,, "b": 2}', 1, 9, "One comma too many"),
    ('{"r" 16}', 1, 6, "a colon is missing"),
    ('{"r" = 16}', 1, 6, "there is a colon"),
    ('{"r":}', 1, 6, "the value of the key is missing"),
    ('{"r": 1\n "a": 2}', 2, 2, "a comma is missing"),
    ("[1 2]", 1, 4, "a comma is missing"),
    ("[1: 2]", 1, 3, "is a key missing?"),
    ("{r: 1}", 1, 2, 'a key in double quotes is expected: "r"'),
    ("{1: 1}", 1, 2, 'a key in double quotes is expected: "1"'),
    ("{'r': 1}", 1, 2, "A key needs straight double quotes"),
    ('{"r": \u201cx\u201d}', 1, 7, "Text needs straight double quotes"),
    ('{"r": True}', 1, 7, "Write true here, not True"),
    ('{"r": None}', 1, 7, "Write null here, not None"),
    ('{"r": NaN}', 1, 7, "JSON has no NaN"),
    ('{"r": -Infinity}', 1, 7, "JSON has no -Infinity"),
    ('{"r": adamw}', 1, 7, 'Text needs double quotes: "adamw"'),
    ('{"r": "a\nb"}', 1, 7, "does not end on its line"),
    ('{"r": "a\tb"}', 1, 9, "written as \\t"),
    ('{"r": "\x01"}', 1, 8, "written as \\u0001"),
    ('{"r": "C:\\data"}', 1, 10, "A backslash in text is written twice"),
    ('{"r": "\\u12"}', 1, 8, "four digits"),
    ('{"r": 01}', 1, 7, "does not begin with 0"),
    ('{"r": .5}', 1, 7, "before the point: 0.5"),
    ('{"r": 5.}', 1, 7, "after the point: 5.0"),
    ('{"r": +5}', 1, 7, "no plus"),
    ('{"r": 1_000}', 1, 7, "no _ in it: 1000"),
    ('{"r": 0.1234567890123456789}', 1, 7, "would become 0.12345678901234568"),
    ('{"r": 9007199254740993.5}', 1, 7, "more digits than are kept"),
    ('{"r": 1e-400}', 1, 7, "more digits than are kept"),
    ('{"r": 1e400}', 1, 7, "too large"),
    (f'{{"r": {"1" * 4301}}}', 1, 7, "too long"),
    ('{"a": 1, "b": 2, "a": 3}', 1, 18, "This key is there twice"),
    ('{"a": [1}', 1, 9, "the [ of line 1 needs a ]"),
    ('{"a": 1}}', 1, 9, "One } too many"),
    ('{"a": 1} x', 1, 10, "complete before this"),
    ('{"a": 1 // rank\n}', 1, 9, "JSON has no comments"),
    ("# rank\n{}", 1, 1, "JSON has no comments"),
    ('{\n\u00a0"a": 1}', 2, 1, "not visible"),
    ("\ufeff{}", 1, 1, "not visible"),
    ("[" * 101, 1, 101, "deeper than 100 levels"),
    ("[" * 100_000, 1, 101, "deeper than 100 levels"),
]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"), MISTAKES, ids=[row[0][:30] for row in MISTAKES]
)
def test_a_mistake_is_explained_where_it_is(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(Mistake) as caught:
        read_json(text)

    assert words in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


def test_the_place_is_shown_in_its_line() -> None:
    with pytest.raises(Mistake) as caught:
        read_json('{\n  "r": 16\n  "alpha": 32\n}')

    assert caught.value.excerpt == '  "alpha": 32\n  ^'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON, st.integers(0, 200), st.sampled_from('{}[]",:0.x\\ \n'))
def test_every_other_text_is_read_as_json_or_has_a_mistake_in_a_place(
    value: object, place: int, typed: str
) -> None:
    text = json.dumps(value)
    place = min(place, len(text))
    text = text[:place] + typed + text[place:]

    mistake = mistake_in(text)

    if mistake is not None:
        assert "not valid JSON" not in mistake.message
        assert 0 <= mistake.offset <= len(text)


def mistake_in(text: str) -> Mistake | None:
    try:
        read_json(text)
    except Mistake as mistake:
        return mistake
    return None
