"""Parse JSON that a user typed, and explain where a mistake is and what to write instead.

The standard library parses it. Only if that fails, a second parser reads the text step by step to
explain the mistake. It knows common mistakes of people who write Python or JavaScript. Beyond
invalid JSON, values are refused that would not be stored as typed: duplicate keys, numbers with
more digits than are kept, and characters that PostgreSQL cannot store.
"""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final, NoReturn

from training_versions import JsonValue

MAX_DEPTH: Final = 100
"""Levels of nesting that the SDK stores."""
_MAX_DIGITS: Final = 4300
_INTEGERS_ONLY: Final = 2**53
_EXCERPT: Final = 60

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# The text of a number or word, valid or not, up to its end.
_WORD: Final = re.compile(r"[^\s,:{}\[\]\"']+")
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE: Final = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_PAIR: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_NOT_STORED: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""The beginning of an escape that may stand for a character that cannot be stored."""
_WORDS: Final[dict[str, object]] = {"true": True, "false": False, "null": None}
_MEANT: Final = {
    "True": "true",
    "False": "false",
    "None": "null",
    "undefined": "null",
    "TRUE": "true",
    "FALSE": "false",
    "NULL": "null",
}
_NOT_FINITE: Final = {"nan", "inf", "infinity", "-inf", "-infinity", "+inf", "+infinity"}
_CURLY_QUOTES: Final = "\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019"


class Mistake(Exception):
    """The text is not valid JSON, or cannot be stored as typed."""

    def __init__(self, message: str, text: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        """A sentence that says what is wrong and what to write."""
        self.offset = offset
        """The position in the text, in characters."""
        before = text[:offset]
        self.line = before.count("\n") + 1
        self.column = offset - (before.rfind("\n") + 1) + 1
        self.excerpt = _excerpt(text, offset)
        """The line with the mistake, and a line below that points at it."""


def read_json(text: str) -> JsonValue:
    """Parse JSON.

    Raises:
        Mistake: The text is not valid JSON, or would not be stored as typed.
    """
    if _NOT_STORED.search(text):
        _Finder(text).read()
    try:
        return json.loads(
            text,
            parse_float=_read_number,
            parse_int=_read_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_read_object,
        )
    except (ValueError, RecursionError):
        # JSONDecodeError and the refusals below are ValueErrors.
        _Finder(text).read()
    # The two parsers disagree. No text is known for which they do.
    raise Mistake("This is not valid JSON.", text, 0)


def _read_number(text: str) -> int | float:
    """Parse a number that can be stored exactly.

    Raises:
        ValueError: The number is too long or too large, or has more digits than are kept.
    """
    if len(text) > _MAX_DIGITS:
        raise ValueError("This number is too long. Put it in quotes to store it as text.")
    if text.lstrip("-").isdigit():
        return int(text)
    try:
        exact = Decimal(text)
    except InvalidOperation:
        exact = Decimal("infinity")
    nearest = float(text)
    if nearest in (float("inf"), float("-inf")):
        raise ValueError("This number is too large. Put it in quotes to store it as text.")
    if abs(exact) >= _INTEGERS_ONLY and exact == exact.to_integral_value():
        # Numbers of this size are stored as integers: 1e23 as a 1 and 23 zeros.
        return int(exact)
    if abs(exact) >= _INTEGERS_ONLY or Decimal(repr(nearest)) != exact:
        raise ValueError(
            f"This number has more digits than are kept; it would become {nearest!r}. "
            "Write fewer, or put it in quotes to store it as text."
        )
    return nearest


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _read_object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is there twice")
    return members


class _Finder:
    """A recursive-descent parser that raises the first mistake in a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        # The beginnings of the objects and arrays around the current position.
        self._open: list[int] = []

    def read(self) -> None:
        """Raise the first mistake, or return if there is none."""
        self._skip_space()
        if self._at == len(self._text):
            self._fail("There is nothing here yet. An object without entries is {}.")
        self._value("a value")
        self._skip_space()
        if self._at < len(self._text):
            self._fail_after_end()

    def _value(self, wanted: str) -> None:
        self._skip_space()
        character = self._peek()
        if character == "{":
            self._enter()
            self._object()
            self._leave()
        elif character == "[":
            self._enter()
            self._array()
            self._leave()
        elif character == '"':
            self._string()
        elif character == "":
            self._fail_at_end(wanted)
        elif character in "'`" or character in _CURLY_QUOTES:
            self._fail(f'Text needs straight double quotes: " and not {character}')
        elif character in "]}":
            self._fail(f"Here {wanted} is missing, before the {character}")
        elif character in ",:":
            self._fail(f"Here {wanted} is missing, before the {_named(character)}.")
        else:
            self._word()

    def _enter(self) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._fail(f"This is nested deeper than {MAX_DEPTH} levels.")
        self._open.append(self._at)
        self._at += 1

    def _leave(self) -> None:
        self._at += 1
        self._open.pop()

    def _object(self) -> None:
        """Parse an object up to its closing brace."""
        seen: set[str] = set()
        self._skip_space()
        while self._peek() != "}" or seen:
            self._key(seen)
            self._skip_space()
            if self._peek() in ("=", ";"):
                self._fail("Between a key and its value there is a colon: :")
            if self._peek() != ":":
                self._fail_or_end("Here a colon is missing, between the key and its value.")
            self._at += 1
            self._value("the value of the key")
            if not self._goes_on("}"):
                return

    def _array(self) -> None:
        """Parse an array up to its closing bracket."""
        is_first = True
        self._skip_space()
        while self._peek() != "]" or not is_first:
            self._value("an entry")
            is_first = False
            if not self._goes_on("]"):
                return

    def _goes_on(self, closing: str) -> bool:
        """Parse the comma or the closing bracket after an entry. Return whether another follows."""
        self._skip_space()
        following = self._peek()
        if following == closing:
            return False
        if following == ",":
            comma = self._at
            self._at += 1
            self._skip_space()
            if self._peek() == closing:
                self._at = comma
                self._fail(f"One comma too many: none comes before the {closing}")
            return True
        if following in "]}" and following:
            opened = "{" if closing == "}" else "["
            self._fail(
                f"Here is a {following} and the {opened} of line {self._line_of(self._open[-1])} "
                f"needs a {closing}"
            )
        if following == ":":
            self._fail("A colon stands only between a key and its value; is a key missing?")
        self._fail_or_end("Here a comma is missing, before this entry.")

    def _key(self, seen: set[str]) -> None:
        begin = self._at
        character = self._peek()
        if character == "":
            self._fail_at_end("a key")
        if character == ",":
            self._fail("One comma too many.")
        if character in "'`" or character in _CURLY_QUOTES:
            self._fail(f'A key needs straight double quotes: " and not {character}')
        if character != '"':
            self._fail_for_stray()
            example = 'as in "r": 16'
            word = _WORD.match(self._text, self._at)
            if word is not None:
                example = f'"{word[0]:.40}"'
            self._fail(f"Here a key in double quotes is expected: {example}")
        self._string()
        key: str = json.loads(self._text[begin : self._at])
        if key in seen:
            self._at = begin
            self._fail("This key is there twice in the same object. Only one of them can count.")
        seen.add(key)

    def _string(self) -> None:
        begin = self._at
        self._at += 1
        while True:
            plain = _PLAIN.match(self._text, self._at)
            if plain is not None:
                self._at = plain.end()
            character = self._peek()
            if character == '"':
                self._at += 1
                return
            if character == "\\":
                self._escape()
            elif character in ("", "\n", "\r"):
                self._at = begin
                self._fail('This text does not end on its line: a " is missing. A new line is \\n')
            elif character == "\t":
                self._fail("A tab inside of text is written as \\t")
            else:
                code = f"\\u{ord(character):04x}"
                self._fail(f"This character is not visible, and is written as {code}")

    def _escape(self) -> None:
        escape = _ESCAPE.match(self._text, self._at)
        if escape is None:
            following = self._text[self._at + 1 : self._at + 2]
            if following == "u":
                self._fail("After \\u come four digits of 0 to 9 and a to f, as in \\u00e9")
            self._fail("A backslash in text is written twice: \\\\")
        if _NOT_STORED.match(escape[0]):
            self._pair_or_fail(escape[0])
        self._at += len(escape[0])

    def _pair_or_fail(self, escape: str) -> None:
        """Parse the first escape of a surrogate pair."""
        if escape == "\\u0000":
            self._fail("PostgreSQL cannot store this character, the one with the number 0.")
        if not _PAIR.match(self._text, self._at):
            self._fail("This is half of a character: it takes two, as in \\ud83d\\ude00")
        self._at += len(escape)

    def _word(self) -> None:
        """Parse a number, true, false or null."""
        self._fail_for_stray()
        found = _WORD.match(self._text, self._at)
        word = "" if found is None else found[0]
        if word in _WORDS:
            self._at += len(word)
            return
        if _NUMBER.fullmatch(word):
            try:
                _read_number(word)
            except ValueError as exc:
                self._fail(str(exc))
            self._at += len(word)
            return
        if word in _MEANT:
            self._fail(f"Write {_MEANT[word]} here, not {word}")
        if word.lower() in _NOT_FINITE:
            self._fail(f'JSON has no {word:.20}. Write null, or text: "{word:.20}"')
        self._fail_for_number(word)
        self._fail(f'Text needs double quotes: "{word:.40}"')

    def _fail_for_number(self, word: str) -> None:
        """Explain a word that is almost a number."""
        if re.fullmatch(r"-?0[0-9]+(\.[0-9]+)?", word):
            self._fail("A number does not begin with 0, but for 0.5 and the like.")
        if re.fullmatch(r"-?\.[0-9]+([eE].*)?", word):
            self._fail(f"A number needs a digit before the point: 0{word.lstrip('-'):.20}")
        if re.fullmatch(r"-?[0-9]+\.([eE].*)?", word):
            self._fail(f"A number needs a digit after the point: {word:.20}0")
        if re.fullmatch(r"\+[0-9].*", word):
            self._fail(f"A number has no plus before it: {word[1:]:.20}")
        if re.fullmatch(r"-?[0-9][0-9_]*", word):
            self._fail(f"A number has no _ in it: {word.replace('_', ''):.20}")

    def _fail_for_stray(self) -> None:
        """Explain characters that JSON does not allow: comments and unusual white space."""
        character = self._peek()
        if character and (character.isspace() or unicodedata.category(character) == "Cf"):
            self._fail("Here is a character that is not visible. Delete it.")
        if self._text.startswith(("//", "/*", "#"), self._at):
            self._fail('JSON has no comments. Use the summary, or a key such as "note".')

    def _fail_after_end(self) -> None:
        character = self._peek()
        if character in "]}":
            self._fail(f"One {character} too many: everything is closed before it.")
        self._fail_for_stray()
        self._fail("The JSON is complete before this. Remove the rest, or close later.")

    def _fail_or_end(self, message: str) -> NoReturn:
        if self._at == len(self._text):
            self._fail_at_end("more")
        self._fail_for_stray()
        self._fail(message)

    def _fail_at_end(self, wanted: str) -> NoReturn:
        if not self._open:
            self._fail(f"Here {wanted} is missing.")
        begin = self._open[-1]
        opening = self._text[begin]
        closing = "}" if opening == "{" else "]"
        self._fail(
            f"The text ends here, and the {opening} of line {self._line_of(begin)} "
            f"is not closed: a {closing} is missing."
        )

    def _fail(self, message: str) -> NoReturn:
        raise Mistake(message, self._text, self._at) from None

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _line_of(self, offset: int) -> int:
        return self._text.count("\n", 0, offset) + 1


def _named(character: str) -> str:
    return {",": "comma", ":": "colon"}[character]


def _excerpt(text: str, offset: int) -> str:
    begin = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    if end < 0:
        end = len(text)
    # Show only a part of a long line.
    start = max(begin, offset - _EXCERPT)
    stop = min(end, offset + _EXCERPT)
    return f"{text[start:stop]}\n{' ' * (offset - start)}^"
