"""The drawing of curves: inside of its width, true to its ends, whatever the numbers are."""

import pytest

from training_versions.cli.plot import draw_curve

FALLING = [(float(step), 1 / step) for step in range(1, 101)]


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
@pytest.mark.parametrize("braille", [True, False])
def test_a_drawing_is_no_wider_than_it_may_be(columns: int, braille: bool) -> None:
    drawn = draw_curve(FALLING, columns=columns, lines=6, braille=braille)

    assert len(drawn) == 6 + 2
    assert max(len(line) for line in drawn) <= columns
    assert "".join(drawn).isascii() is not braille


def test_a_drawing_names_the_highest_and_lowest_value_and_both_ends() -> None:
    drawn = draw_curve(FALLING, columns=40, lines=6, braille=False)

    assert drawn[0].startswith("   1 |*")
    assert drawn[5].startswith("0.01 |")
    assert drawn[-1].split() == ["1", "100"]


def test_a_curve_that_does_not_move_is_a_line_in_the_middle() -> None:
    drawn = draw_curve([(0, 0.5), (10, 0.5)], columns=20, lines=3, braille=False)

    assert drawn[0] == "    |"
    assert drawn[1] == "0.5 |" + "*" * 15
    assert drawn[2] == "    |"


def test_a_single_point_is_drawn() -> None:
    drawn = draw_curve([(7, 2.0)], columns=20, lines=3, braille=False)

    assert "".join(drawn).count("*") == 1
    assert drawn[-1].split() == ["7"]


@pytest.mark.parametrize("extreme", [1.7e308, 5e-324])
def test_extreme_numbers_are_drawn(extreme: float) -> None:
    drawn = draw_curve([(0, -extreme), (1, 0), (2, extreme)], columns=40, lines=5)

    assert len(drawn) == 7


def test_a_spike_among_many_points_is_not_lost() -> None:
    points = [(float(step), 0.0) for step in range(10_000)]
    points[5_003] = (5_003.0, 9.0)

    drawn = draw_curve(points, columns=40, lines=4, braille=False)

    assert drawn[0].count("*") == 1
