"""Numbers that are read as they were written, in requests and in files of the command line."""

from __future__ import annotations

import random
import struct
from decimal import Decimal

import pytest

from training_versions.cli.documents import parse_json
from training_versions.cli.exits import CommandError
from training_versions.exact_numbers import read_float
from training_versions.rest.json_text import read_json
from training_versions.rest.problems import Problem

KEPT = (
    "0.0",
    "-0.0",
    "0e999",
    "1e2",
    "1E23",
    "0.1",
    "0.10",
    "2e-4",
    "0.10000000000000001",  # with 17 digits, as C and Go write it
    "0.1000000000000000055511151231257827",
    "0.1000000000000000055511151231257827021181583404541015625",
    "9007199254740992.0",
    "5e-324",
    "5.6843418860808015e-14",  # 2^-44, in the middle between two numbers of 16 digits
    "1.7976931348623157e308",
    format(2**-1074, ".800f"),
)
ROUNDED = (
    "0.10000000000000000001",
    "0.123456789012345678",
    "9007199254740993.0",
    "3.14159265358979323846",
    "123456789012345678901234.5",
    "1e-400",
    "4.9406e-324",
    "1e-99999999999999999999",
    f"0.{'1' * 2000}",
)


@pytest.mark.parametrize("text", KEPT)
def test_every_way_to_write_a_double_is_kept(text: str) -> None:
    assert repr(read_float(text)) == repr(float(text))


def test_every_double_is_kept_with_any_number_of_digits() -> None:
    draw = random.Random(9)
    for _ in range(5000):
        (number,) = struct.unpack("<d", draw.randbytes(8))
        if number - number != 0:
            continue
        digits = draw.randint(17, 40)

        assert read_float(repr(number)) == number
        assert read_float(f"{number:.{digits - 1}e}") == number
        assert read_float(str(Decimal(number))) == number


@pytest.mark.parametrize("text", ROUNDED)
def test_what_would_be_rounded_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has more digits than a double keeps"):
        read_float(text)


@pytest.mark.parametrize("text", [*ROUNDED, "1e999"])
def test_a_request_with_it_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Problem) as caught:
        read_json(f'{{"a": 0.5,\n "b": [0.25, {text}]}}'.encode())

    assert (caught.value.members["line"], caught.value.members["column"]) == (2, 14)
    assert "digits than" in str(caught.value.detail) or "larger than" in str(caught.value.detail)


@pytest.mark.parametrize("text", [*ROUNDED, "1e999"])
def test_a_file_with_it_is_refused_by_name(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_json(f'{{"a": {text}}}', "config.json")

    assert f"config.json has a number that {'is' if text == '1e999' else 'has'}" in str(
        caught.value
    )
    assert text[:40] in str(caught.value)
