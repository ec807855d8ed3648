"""Numbers of JSON as they were written: what a double does not keep is refused, not rounded."""

from __future__ import annotations

import math
import sys
from decimal import Context, Decimal, InvalidOperation
from typing import Final

# No double's exact value takes more characters: 2^-1074 has 323 zeros and 751 digits.
_LONGEST: Final = 1_100
# A point or an exponent and fifteen digits, which a double always keeps.
_SHORT: Final = 16


def read_float(text: str) -> float:
    """Read a number that has a point or an exponent; for the decoder of `json`.

    Programs write one double in many ways: as the fewest digits that tell it from its neighbours,
    or as its value, rounded to 17 digits or any other number of them. All of these are kept.

    Raises:
        ValueError: No double is written so; the message says why, without the number.
    """
    number = float(text) if len(text) <= _LONGEST else math.nan
    if math.isinf(number):
        raise ValueError("is larger than a double holds")
    is_kept = len(text) <= _SHORT and abs(number) >= sys.float_info.min
    if not is_kept and not _is_written_as(number, text):
        raise ValueError("has more digits than a double keeps")
    return number


def _is_written_as(number: float, text: str) -> bool:
    if math.isnan(number):
        return False
    try:
        written = Decimal(text)
    except InvalidOperation:
        # An exponent of more than 18 digits.
        return False
    if written == Decimal(repr(number)):
        return True
    digits = len(written.as_tuple().digits)
    return written == Context(prec=digits).create_decimal_from_float(number)
