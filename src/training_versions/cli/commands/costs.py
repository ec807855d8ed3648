"""Costs: record, list and add them up."""

from __future__ import annotations

from uuid import UUID

import click

from training_versions import CostEntry, Package, PackageCost, RecordedCost
from training_versions.cli.command import Topic, id_option, pass_session
from training_versions.cli.context import Session
from training_versions.cli.lookup import find, find_package, find_version
from training_versions.cli.names import write_version
from training_versions.cli.output import Cell, Column, money

cost = Topic("cost", help="Show costs, or record one.")


@cost.part(
    "record",
    result=RecordedCost,
    example='training-versions cost record support-bot@3 4.20 --note "8 h on an A10G"',
)
@click.argument("version", metavar="VERSION")
@click.argument("amount", metavar="AMOUNT")
@click.option("--note", metavar="TEXT", help="What it was for.")
@click.option(
    "--key",
    metavar="KEY",
    help="Idempotency key: of all calls with the same one, only the first records something.",
)
@click.option(
    "--alert-at",
    type=click.IntRange(1),
    multiple=True,
    metavar="PERCENT",
    help="Of the budget; 50, 80 and 100 if left out. Can be repeated.",
)
@id_option("entry_id")
@pass_session
def record(
    session: Session,
    version: str,
    amount: str,
    note: str | None,
    key: str | None,
    alert_at: tuple[int, ...],
    entry_id: UUID | None,
) -> None:
    """Record what a version cost, and say which part of the budget it reached."""
    found = find_version(session, version)
    entry = session.versions.record_cost(
        found.version.id,
        amount,
        note=note,
        key=key,
        alert_at=alert_at or (50, 80, 100),
        entry_id=entry_id,
    )
    facts: list[tuple[str, Cell]] = [
        ("version", found.written),
        ("recorded", entry.amount),
        ("actual cost", entry.actual_cost),
        ("budget", entry.budget_limit),
        ("key", entry.key),
        ("id", str(entry.id)),
    ]
    output = session.output
    output.show(entry, ids=[entry.id], text=lambda: output.fields(facts))
    for share in entry.alerts:
        # Print it in every mode, as a reached alert must not be missed.
        output.note(
            f"{found.written} has reached {share} % of its budget: "
            f"{money(entry.actual_cost)} of {money(entry.budget_limit)}",
            style="bold yellow",
        )


@cost.part(
    "list",
    result=list[CostEntry],
    example=(
        "training-versions cost list support-bot@3",
        "training-versions cost list support-bot --json",
    ),
)
@click.argument("name", metavar="VERSION|PACKAGE")
@pass_session
def list_entries(session: Session, name: str) -> None:
    """List the cost entries of a version, or of all versions of a package, the oldest first."""
    found = find(session, name)
    if found.version is not None:
        walk = session.versions.iterate_costs(found.version.id)
    else:
        walk = session.versions.iterate_costs(package_id=found.package.id)
    entries = list(walk)
    columns = [
        Column("version"),
        Column("amount", is_number=True),
        Column("note", may_wrap=True),
        Column("alerts"),
        Column("recorded"),
        Column("key", only_piped=True),
        Column("id", only_piped=True),
    ]
    output = session.output
    output.show(
        entries,
        ids=[entry.id for entry in entries],
        text=lambda: output.table(
            columns,
            [_row(found.package, entry) for entry in entries],
            empty="No costs yet: training-versions cost record VERSION AMOUNT",
        ),
    )


def _row(package: Package, entry: CostEntry) -> tuple[Cell, ...]:
    alerts = ", ".join(f"{share} %" for share in entry.alerts)
    return (
        write_version(package.name, entry.version_number),
        entry.amount,
        entry.note,
        alerts or None,
        entry.recorded_at,
        entry.key,
        str(entry.id),
    )


@cost.part(
    "total",
    result=PackageCost,
    example="training-versions cost total support-bot",
)
@click.argument("package", metavar="PACKAGE")
@pass_session
def total(session: Session, package: str) -> None:
    """Add up the costs of all versions of a package."""
    found = find_package(session, package)
    totals = session.versions.package_cost(found.id)
    facts: list[tuple[str, Cell]] = [
        ("versions", totals.versions),
        ("estimated cost", totals.estimated_cost),
        ("actual cost", totals.actual_cost),
        ("budget", totals.budget_limit),
    ]
    output = session.output
    output.show(totals, ids=[found.id], text=lambda: output.fields(facts))
