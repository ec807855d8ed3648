"""How packages and versions are named on the command line: what is written is read back."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from training_versions.cli.exits import CommandError
from training_versions.cli.names import Selector, read_reference, write_name, write_version
from training_versions.cli.text import json_text, printable

AN_ID = "0b1d6b1e-7b8a-4a59-9a55-3d1f0c6a2b11"
# What the database stores: no NUL, no surrogates, and not blank.
NAMES = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=255
).filter(str.strip)
# Made of what has a meaning in a reference.
TRICKY = st.lists(
    st.sampled_from(
        [*"@\"'\\-: 3\n", "@3", "@latest", "@live:local", "@2026-05-03", "bot", AN_ID, "\u202e"]
    ),
    min_size=1,
    max_size=8,
).map("".join)


@given(st.one_of(NAMES, TRICKY.filter(str.strip)))
@example("bot@3")
@example('"bot"@3')
@example(AN_ID)
@example("--help")
@example(" bot ")
def test_every_name_is_read_as_it_was_written(name: str) -> None:
    written = write_name(name)

    read = read_reference(written)
    version = read_reference(write_version(name, 7))

    assert (read.name, read.id, read.selector) == (name, None, None)
    assert (version.name, version.selector) == (name, Selector(number=7))
    assert written.isprintable()
    assert not written.startswith("-")


@given(NAMES)
def test_a_name_that_is_plain_stays_as_it_is(name: str) -> None:
    plain = "".join(each for each in name if each.isalnum())

    if plain:
        assert write_name(plain) == plain


@given(st.text())
def test_whatever_is_typed_is_read_or_refused_in_one_sentence(text: str) -> None:
    refusal = None
    try:
        read_reference(text)
    except CommandError as error:
        refusal = error

    assert refusal is None or (refusal.status == 2 and refusal.message)


@pytest.mark.parametrize(
    ("text", "name", "selector"),
    [
        ("support-bot", "support-bot", None),
        ("support-bot@3", "support-bot", Selector(number=3)),
        ("support-bot@003", "support-bot", Selector(number=3)),
        ("support-bot@latest", "support-bot", Selector(word="latest")),
        ("support-bot@live", "support-bot", Selector(is_live=True)),
        ("support-bot@live:hf_space", "support-bot", Selector(is_live=True, target="hf_space")),
        ("support-bot@2026-05-03", "support-bot", Selector(day=date(2026, 5, 3))),
        ("bot@2026-05-03:local", "bot", Selector(day=date(2026, 5, 3), target="local")),
        ("@3", None, Selector(number=3)),
        ("me@example.com", "me@example.com", None),
        ("a@3@4", "a@3", Selector(number=4)),
        ('"a@3"', "a@3", None),
        ('"a@3"@4', "a@3", Selector(number=4)),
        ("latest", "latest", None),
    ],
)
def test_references_are_taken_apart(text: str, name: str | None, selector: object) -> None:
    read = read_reference(text)

    assert (read.name, read.selector) == (name, selector)


def test_an_identifier_is_read_as_one_and_takes_a_selector() -> None:
    assert read_reference(AN_ID.upper()).id == UUID(AN_ID)
    assert read_reference(f"{AN_ID}@live").id == UUID(AN_ID)
    # Only as it is printed: other forms may be names.
    assert read_reference(AN_ID.replace("-", "")).id is None


@pytest.mark.parametrize(
    "text", ["", " ", "bot@0", "bot@99999999999", "bot@2026-13-01", "bot@live:mars", '"bot', '"b"3']
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(CommandError):
        read_reference(text)


def test_a_day_is_its_end_in_utc() -> None:
    end = Selector(day=date(2026, 5, 3)).moment()

    assert end == datetime(2026, 5, 3, 23, 59, 59, 999999, tzinfo=UTC)


@given(st.text())
def test_no_text_steers_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
    for indent in (None, 2):
        assert json_text({"a": [text]}, indent=indent).replace("\n", "").isprintable()


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats(allow_nan=False)),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        max_leaves=10,
    )
)
def test_json_that_is_safe_for_a_terminal_is_the_same_json(value: object) -> None:
    import json

    assert json.loads(json_text(value)) == value
