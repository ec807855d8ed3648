"""How moments, amounts and people are written on the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from training_versions.web.render import ago, exact_time, money, status_badge
from training_versions.wording import describe_age

NOW = datetime(2026, 5, 3, 12, tzinfo=UTC)
AGES = {
    timedelta(): "just now",
    timedelta(seconds=9): "just now",
    timedelta(seconds=-9): "just now",
    timedelta(seconds=42): "42 seconds ago",
    timedelta(seconds=60): "1 minute ago",
    timedelta(minutes=59, seconds=59): "59 minutes ago",
    timedelta(hours=1): "1 hour ago",
    timedelta(hours=47): "1 day ago",
    timedelta(days=3): "3 days ago",
    timedelta(days=14): "2 weeks ago",
    timedelta(days=59): "8 weeks ago",
    timedelta(days=60): "1 month ago",
    timedelta(days=364): "11 months ago",
    timedelta(days=365): "1 year ago",
    timedelta(days=-2): "in 2 days",
}


@pytest.mark.parametrize(("age", "text"), AGES.items(), ids=AGES.values())
def test_an_age_is_said_in_its_largest_unit(age: timedelta, text: str) -> None:
    assert describe_age(NOW - age, NOW) == text


def test_a_moment_has_its_exact_time_in_utc() -> None:
    moment = datetime(2026, 5, 3, 12, 30, 1, 999_999, tzinfo=timezone(timedelta(hours=5)))

    assert str(exact_time(moment)) == (
        '<time datetime="2026-05-03T07:30:01.999999+00:00" title="2026-05-03 07:30:01 UTC">'
        "2026-05-03 07:30:01 UTC</time>"
    )
    assert 'title="2026-05-03 07:30:01 UTC"' in str(ago(moment))
    assert "&ndash;" in str(ago(None))


def test_amounts_are_exact_with_separators() -> None:
    assert money(Decimal("1234567.89")) == "1,234,567.89"
    assert money(Decimal(0)) == "0.00"
    assert "&ndash;" in str(money(None))


def test_a_status_of_a_newer_database_is_escaped() -> None:
    assert "<b>" not in str(status_badge("<b>"))
