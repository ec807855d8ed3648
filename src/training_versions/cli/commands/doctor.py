"""The doctor on the command line: problems of a project, and their fixes."""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from training_versions.cli import storage
from training_versions.cli.command import command, pass_session
from training_versions.cli.context import Session, address, keys_of_environment
from training_versions.cli.exits import usage
from training_versions.cli.foreground import missing_extra
from training_versions.cli.shell_words import in_shell_words

if TYPE_CHECKING:
    from training_versions.doctor import Report


class FindingJson(BaseModel):
    """One thing that is wrong."""

    id: str
    level: Literal["error", "warning"]
    object: str
    what: str
    why: str
    fix: str


class NotDoneJson(BaseModel):
    """A group of checks that could not be done."""

    check: str
    why: str


class ReportJson(BaseModel):
    """What `doctor --json` prints."""

    findings: list[FindingJson]
    done: list[str]
    not_done: list[NotDoneJson]
    seconds: float
    verdict: str
    exit_status: int


@command(
    "doctor",
    result=ReportJson,
    example=(
        "training-versions doctor",
        "SUPABASE_DB_URL=postgresql://… training-versions doctor --json",
    ),
)
@pass_session
def doctor(session: Session) -> int:
    """Check that a project is fit, and change nothing.

    For all checks, set SUPABASE_DB_URL to the address of its database, as the role postgres.
    SUPABASE_URL and a key are for those of the REST API; with neither, it is the project that you
    are signed in to. Ends with 0, with 1 if there are warnings, and with 2 if there are errors.
    """
    try:
        from training_versions.doctor import examine
    except ModuleNotFoundError as exc:
        raise missing_extra("doctor", "the doctor", exc) from None
    url = address(os.environ.get("SUPABASE_URL", "")) or None
    db_url = os.environ.get("SUPABASE_DB_URL") or None
    secret_key, public_key = keys_of_environment()
    # With the database, the secret key is preferred: it adds one check, the row cap. Without the
    # database, the public key is preferred: it shows what everybody can see.
    keys = (public_key, secret_key)
    if db_url:
        keys = (secret_key, public_key)
    key = keys[0] or keys[1] or None
    if url is None and db_url is None:
        stored = storage.load()
        if stored is not None:
            url, key = stored.url, stored.key
    if db_url is None and (url is None or key is None):
        raise usage(
            "it is not known which project to examine",
            hint="Set SUPABASE_DB_URL, the address of its database (postgresql://…), or for some "
            "of the checks SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY, or training-versions login.",
        )
    output = session.output
    output.secrets.update(secret for secret in (db_url, secret_key) if secret)
    report = examine(db_url=db_url, url=url, key=key)
    output.show(
        report.to_dict(),
        ids=[finding.id for finding in report.findings],
        text=lambda: _print(session, report),
    )
    return report.exit_status


def _print(session: Session, report: Report) -> None:
    """Print the report. The last line is the verdict."""
    output = session.output
    if not output.is_terminal:
        for line in report.to_text().splitlines():
            output.line(in_shell_words(output.hide(line)))
        return
    for finding in report.findings:
        style = "bold yellow"
        if finding.level == "error":
            style = "bold red"
        output.styled(f"{finding.level}: {finding.id}: {finding.object}", style)
        output.paragraph(finding.what)
        output.paragraph(finding.why)
        for line in finding.fix.splitlines():
            # Fixes are not wrapped, so that they can be copied.
            output.styled(f"    {line}", "cyan")
        output.line()
    for why, parts in groupby(report.not_done, key=lambda part: part.why):
        output.styled(f"not checked: {', '.join(part.check for part in parts)}", "dim")
        output.paragraph(in_shell_words(why))
    if report.not_done:
        output.line()
    output.styled(report.verdict, "bold")
