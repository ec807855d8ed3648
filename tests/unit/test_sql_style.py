"""How the SQL of functions is written: sqlfluff does not look inside of their bodies."""

import re
from pathlib import Path

import pytest

MIGRATIONS = Path(__file__).parents[2] / "supabase" / "migrations"
RELEASED = "20250131000001"
FILES = [path for path in sorted(MIGRATIONS.glob("*.sql")) if not path.name.startswith(RELEASED)]
# What is neither a comment nor text in quotes.
NOT_CODE = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
KEYWORDS = (
    *("begin", "call", "case", "create", "declare", "delete", "else", "elsif", "end", "exception"),
    *("execute", "exists", "for", "from", "if", "insert", "into", "is", "join", "language"),
    *("loop", "not", "null", "or", "order", "perform", "raise", "return", "select", "set"),
    *("then", "update", "using", "values", "when", "where", "while", "with"),
)
IN_CAPITALS = re.compile(rf"\b(?:{'|'.join(KEYWORDS).upper()})\b")
SAYS_A_DEFAULT = re.compile(r"^(?:volatile|security invoker|called on null input)$", re.MULTILINE)
HAS_NO_PATH = re.compile(r"create or replace function (?:(?!\$\$)[^;])*?as \$\$", re.DOTALL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_functions_are_written_as_the_house_writes_them(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    code = NOT_CODE.sub("", text)

    assert "\t" not in text
    assert [line for line in text.splitlines() if len(line) > 100 or line != line.rstrip()] == []
    assert IN_CAPITALS.findall(code) == []
    assert SAYS_A_DEFAULT.findall(code) == []
    heads = HAS_NO_PATH.findall(code)
    assert [head for head in heads if "set search_path = " not in head] == []


@pytest.mark.parametrize(
    "ugly",
    ["IF new.status IS NULL then", "SELECT 1"],
)
def test_keywords_in_capitals_would_be_found(ugly: str) -> None:
    assert IN_CAPITALS.search(ugly)


# A number says nothing without its package: version_label() names both.
NUMBER_ALONE = re.compile(r"'[^'\n]*\b(?:version|draft) %s(?! of )[^'\n]*'")
IDENTIFIED_OTHERWISE = ("there is no version %s", "Restored from", "lies in package", "in the file")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_refusal_names_the_package_beside_the_number(path: Path) -> None:
    texts = NUMBER_ALONE.findall(path.read_text(encoding="utf-8"))

    assert [text for text in texts if not any(part in text for part in IDENTIFIED_OTHERWISE)] == []
