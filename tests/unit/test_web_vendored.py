"""What the pages are made of from npm is what npm has, with its licence beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts.copy_web_files import VENDOR, copies


def test_the_vendored_files_are_those_of_npm_and_no_others() -> None:
    there = {path for path in VENDOR.rglob("*") if path.is_file()}

    assert there == set(copies())
    for copy, original in copies().items():
        assert copy.read_bytes() == original.read_bytes()


@pytest.mark.parametrize("folder", sorted(VENDOR.iterdir()), ids=lambda folder: folder.name)
def test_a_licence_lies_beside_what_is_vendored(folder: Path) -> None:
    licence = (folder / "LICENSE").read_text(encoding="utf-8")

    assert "Permission to use" in licence or "Permission is hereby granted" in licence
