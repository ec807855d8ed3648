"""What the tests of the embedded stack itself share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty private folder with a space in its path, as a user's own folder would be."""
    with tempfile.TemporaryDirectory(prefix="local stack ") as made:
        yield Path(made)
