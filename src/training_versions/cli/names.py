"""References to packages and versions: parse what users type, and write references.

    REFERENCE  = NAME | ID | NAME SELECTOR | ID SELECTOR | SELECTOR
    NAME       = the name as it is, or in double quotes as JSON writes it
    SELECTOR   = @3 | @latest | @published | @draft | @live | @live:TARGET | @DAY | @DAY:TARGET

A name without quotes ends before the last `@` that begins a selector. So a package named `bot@3` is
written `"bot@3"`, with the quotes. `write_name` adds quotes if the name alone would be parsed as
something else. Its result is always parsed as the same name.

This module sends no requests. `lookup.py` finds the package or version of a reference.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from uuid import UUID

from training_versions.cli.exits import CommandError, usage
from training_versions.cli.text import json_text

TARGETS: Final = ("local", "hf_space")
HOW: Final = "@3, @latest, @published, @draft, @live, @live:hf_space, or a day such as @2026-05-03"

_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
_DAY: Final = r"\d{4}-\d\d-\d\d"
_SELECTOR: Final = re.compile(
    rf"(?:(?P<number>\d+)|(?P<word>latest|published|draft)"
    rf"|(?:(?P<live>live)|(?P<day>{_DAY}))(?::(?P<target>[^:@]*))?)",
    re.ASCII,
)
_MOST: Final = 2**31 - 1


@dataclass(frozen=True)
class Selector:
    """Selects a version of a package. Exactly one of the first four attributes is set."""

    number: int | None = None
    word: str | None = None
    is_live: bool = False
    day: date | None = None
    target: str | None = None

    def moment(self) -> datetime:
        """Return the end of the day, in UTC."""
        assert self.day is not None
        return datetime.combine(self.day, time.max, UTC)

    def moment_of_past(self) -> datetime | None:
        """Return the end of the day, or `None` for today, when the version that is live now counts.

        Raises:
            CommandError: The day is in the future.
        """
        today = datetime.now(UTC).date()
        assert self.day is not None
        if self.day > today:
            raise usage(f"{self.day} is still to come (in UTC it is {today})")
        # The clock of this machine may be behind that of the database.
        if self.day == today:
            return None
        return self.moment()

    def __str__(self) -> str:
        if self.number is not None:
            what = str(self.number)
        elif self.day is not None:
            what = self.day.isoformat()
        elif self.is_live:
            what = "live"
        else:
            what = str(self.word)
        if self.target is None:
            return f"@{what}"
        return f"@{what}:{self.target}"


@dataclass(frozen=True)
class Reference:
    """A parsed reference."""

    text: str
    id: UUID | None = None
    name: str | None = None
    selector: Selector | None = None


def read_reference(text: str) -> Reference:
    """Parse a reference.

    Raises:
        CommandError: The reference is empty or invalid.
    """
    if not text.strip():
        raise usage("the name of a package or a version is empty")
    if text.startswith('"'):
        return _read_quoted(text)
    name, separator, tail = text.rpartition("@")
    selector = None
    if separator:
        selector = _read_selector(tail, text)
    if selector is None:
        name = text
    return _reference(text, name, selector)


def _reference(text: str, name: str, selector: Selector | None) -> Reference:
    if not name:
        return Reference(text, selector=selector)
    if _ID.fullmatch(name):
        return Reference(text, id=UUID(name), selector=selector)
    return Reference(text, name=name, selector=selector)


def _read_quoted(text: str) -> Reference:
    try:
        name, end = json.JSONDecoder(strict=False).raw_decode(text)
    except ValueError:
        raise usage(
            f"{text} begins with a quote, but is no name in quotes",
            hint="Your shell takes quotes away: write '\"name\"', with both kinds.",
        ) from None
    tail = text[end:]
    if not tail:
        return Reference(text, name=name)
    selector = None
    if tail.startswith("@"):
        selector = _read_selector(tail[1:], text)
    if selector is None:
        raise usage(f"{tail} does not name a version", hint=f"After the name: {HOW}.")
    return Reference(text, name=name, selector=selector)


def _read_selector(tail: str, text: str) -> Selector | None:
    """Parse the text after the last `@`. Return `None` if it belongs to the name."""
    found = _SELECTOR.fullmatch(tail)
    if found is None:
        return None
    target = found["target"]
    if target is not None and target not in TARGETS:
        raise usage(
            f"there is no target {target!r} in {text}",
            hint=f"The targets are {' and '.join(TARGETS)}.",
        )
    if found["number"]:
        return _read_number(found["number"], text)
    if found["day"]:
        return _read_day(found["day"], target, text)
    return Selector(word=found["word"], is_live=bool(found["live"]), target=target)


def _read_number(digits: str, text: str) -> Selector:
    # Python refuses to parse thousands of digits.
    if len(digits) > len(str(_MOST)) or not 1 <= int(digits) <= _MOST:
        raise usage(f"{text} has no version number: they begin at 1, and end at {_MOST:,}")
    return Selector(number=int(digits))


def _read_day(day: str, target: str | None, text: str) -> Selector:
    try:
        return Selector(day=date.fromisoformat(day), target=target)
    except ValueError:
        raise usage(f"{day} in {text} is not a day of the calendar") from None


def write_name(name: str) -> str:
    """Return the name of a package as a reference, in quotes if necessary."""
    if name.isprintable() and name == name.strip() and not name.startswith(("-", '"')):
        try:
            read = read_reference(name)
        except CommandError:
            read = None
        if read is not None and read.name == name:
            return name
    return json_text(name, indent=None)


def for_shell(written: str) -> str:
    """Quote a reference for a shell."""
    import shlex

    return shlex.quote(written)


def write_version(package: str, number: int) -> str:
    """Return the reference of a version, such as `support-bot@3`."""
    return f"{write_name(package)}@{number}"
