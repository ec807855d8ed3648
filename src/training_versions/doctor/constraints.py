"""Compare constraints and indexes with the shipped ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding
from training_versions.doctor.shipped import Facts
from training_versions.doctor.sql import identifier, transaction

_OPTIONAL_INDEXES = frozenset(
    f"public.idx_package_versions_{name}"
    for name in ("config_snapshot", "model_snapshot", "dataset_snapshot", "deployment")
)
"""Indexes that a project may drop, as docs/migrations.md says."""

_CONSTRAINT_MISSING = {
    "p": "primary-key-missing",
    "u": "unique-missing",
    "c": "check-missing",
    "f": "foreign-key-missing",
}


# --- constraints


def constraints(expected: dict[str, Facts], actual: dict[str, Facts]) -> Iterator[Finding]:
    """Compare the constraints, which may have other names."""
    for name, wanted in expected.items():
        alike = {
            other: facts
            for other, facts in actual.items()
            if all(
                facts[fact] == wanted[fact] for fact in ("table", "type", "columns", "references")
            )
        }
        if alike:
            yield from _constraint(name, wanted, alike)
        else:
            yield _constraint_missing(name, wanted)


def _constraint_missing(name: str, wanted: Facts) -> Finding:
    constraint = name.removeprefix(f"{wanted['table']}.")
    return finding(
        _CONSTRAINT_MISSING[wanted["type"]],
        f"constraint {constraint} on {wanted['table']}",
        f"The constraint {constraint} on {wanted['table']} is missing: {wanted['definition']}.",
        f"alter table {wanted['table']} add constraint {constraint} {wanted['definition']};",
    )


def _constraint(name: str, wanted: Facts, alike: dict[str, Facts]) -> Iterator[Finding]:
    table = wanted["table"]
    found = name if name in alike else next(iter(alike))
    facts = alike[found]
    constraint = identifier(found.removeprefix(f"{table}."))
    label = f"constraint {constraint} on {table}"
    if not _acts_alike(name, wanted, alike):
        kind = "check-changed"
        if wanted["type"] == "f":
            kind = "foreign-key-changed"
        yield finding(
            kind,
            label,
            f"{constraint} on {table} is {facts['definition']}, not {wanted['definition']}.",
            transaction(
                f"alter table {table} drop constraint {constraint};",
                f"alter table {table} add constraint {constraint} {wanted['definition']};",
            ),
        )
    elif not facts["validated"]:
        yield finding(
            "constraint-not-valid",
            label,
            f"{constraint} on {table} is not valid for the rows that were there.",
            f"alter table {table} validate constraint {constraint};",
        )
    if not facts["enforced"]:
        yield finding(
            "foreign-key-off",
            label,
            f"The triggers of {constraint} on {table} are disabled.",
            # Only a superuser can disable them, or enable them again.
            f"alter table {table} enable trigger all;\n"
            f"alter table {wanted['references']} enable trigger all;",
        )


def _acts_alike(name: str, wanted: Facts, alike: dict[str, Facts]) -> bool:
    """Return whether one of the constraints on the same columns enforces the same as ours."""
    if wanted["type"] == "f":
        acts = (wanted["on_delete"], wanted["deferred"])
        return any((facts["on_delete"], facts["deferred"]) == acts for facts in alike.values())
    if wanted["type"] == "c" and name in alike:
        return _condition(alike[name]) == _condition(wanted)
    return True  # a constraint of the first release, which had other names and definitions


def _condition(facts: Facts) -> str:
    return facts["definition"].removesuffix(" NOT VALID")


# --- indexes


def indexes(expected: dict[str, Facts], actual: dict[str, Facts]) -> Iterator[Finding]:
    """Compare the indexes. Those that the app added are ignored."""
    for name, wanted in expected.items():
        facts = actual.get(name)
        label = f"index {name}"
        if facts is None:
            if name not in _OPTIONAL_INDEXES:
                kind = "unique-index-missing" if wanted["unique"] else "index-missing"
                what = f"The index {name} on {wanted['table']} is missing."
                yield finding(kind, label, what, create_index(wanted))
        elif _index_text(facts) != _index_text(wanted):
            kind = "unique-index-changed" if wanted["unique"] else "index-changed"
            yield finding(
                kind,
                label,
                f"{name} is another index: {facts['definition']}.",
                transaction(f"drop index {name};", f"{wanted['definition']};"),
            )
        elif not facts["valid"]:
            what = f"{name} is invalid: building it was broken off."
            yield finding("index-invalid", label, what, f"reindex index {name};")
        elif not set(wanted["options"]) <= set(facts["options"]):
            yield finding(
                "index-settings",
                label,
                f"{name} lacks {wanted['options'][0]}.",
                f"alter index {name} set ({wanted['options'][0]});",
            )


def create_index(wanted: Facts) -> str:
    """Return the statement that creates an index.

    It has `if not exists`, because the fix of another finding may have created the index.
    """
    return wanted["definition"].replace(" INDEX ", " INDEX IF NOT EXISTS ", 1) + ";"


def _index_text(facts: Facts) -> str:
    """Return the definition without settings, and with the shipped form of one old condition."""
    without_settings = re.sub(r" WITH \([^)]*\)", "", facts["definition"])
    return without_settings.replace("(is_deployed = true)", "is_deployed")
