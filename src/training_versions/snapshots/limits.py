"""What PostgreSQL's `jsonb` and Python can hold of JSON."""

from typing import Final

# Levels of nesting. Pydantic reads 200; Python's own stack ends at a few hundred.
MAX_DEPTH: Final = 100
# Python itself neither writes nor reads longer integers.
MAX_DIGITS: Final = 4300
TOO_LARGE: Final = 10**MAX_DIGITS
# From here on every float is an integer, and is written as one. `jsonb` would keep its short
# decimal form instead: the float 1e23 is 99999999999999991611392, but `jsonb` reads "1e23" as a 1
# and 23 zeros.
INTEGERS_ONLY: Final = 2**53


def unstorable(text: str) -> str | None:
    """Say why PostgreSQL cannot hold a text, or `None` if it can."""
    if "\0" in text:
        return "contains a NUL character, which PostgreSQL cannot store"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "contains half of a surrogate pair, which is not text"
    return None
