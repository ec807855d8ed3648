"""Editing a draft: in an editor, from a file or stdin, or field by field.

Whatever goes wrong, the text that somebody wrote is in a file, and the file is named.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from training_versions import (
    ConflictError,
    InvalidInputError,
    RejectedError,
    TrainingVersionsError,
    Version,
)
from training_versions.cli.command import command, pass_session
from training_versions.cli.context import Session
from training_versions.cli.documents import (
    STDIN,
    Document,
    as_arguments,
    changed_fields,
    content_options,
    document_of,
    edit_token_of,
    parse_object,
    read_content,
    read_text,
    write_document,
)
from training_versions.cli.exits import CONFLICT, USAGE, CommandError, usage
from training_versions.cli.lookup import FoundVersion, find_version
from training_versions.cli.output import Output
from training_versions.cli.results import Edited, WholeVersion

_EDITED_SINCE: Final = "TV201"


@command(
    "edit",
    result=Edited,
    example=(
        "training-versions edit support-bot",
        "training-versions edit support-bot@3 --summary 'rank 16' --budget 120.50",
        "training-versions show support-bot@3 --json > draft.json",
        "training-versions edit support-bot@3 --from draft.json",
    ),
)
@click.argument("draft", metavar="VERSION")
@click.option("--from", "source", metavar="FILE", help="Take the content from it; - is stdin.")
@content_options
@click.option(
    "--overwrite", is_flag=True, help="Save it even if somebody else edited the draft since."
)
@pass_session
def edit(
    session: Session, draft: str, source: str | None, overwrite: bool, **options: str | None
) -> None:
    """Edit a draft: in your editor, from a file, or field by field.

    The name of a package alone is its only draft. The editor is that of VISUAL or EDITOR. What is
    left out of the file stays as it is. With the `updated_at` of `show --json` in the file, an
    edit that somebody else made since is not overwritten.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if source is not None and given:
        raise usage("--from and options for fields exclude each other")
    found = find_version(session, draft, default="draft")
    version = found.version
    if source is not None:
        text = read_text(source)
        saved, fields = _from_text(session, found, version, text, source, overwrite=overwrite)
    elif given:
        fields = read_content(options)
        expected = None if overwrite else version.updated_at
        saved = _save(session, version, fields, expected)
    else:
        saved, fields = _in_editor(session, found, version, overwrite=overwrite)
    _report(session, found, saved, fields)


def _report(session: Session, found: FoundVersion, saved: Version, fields: Document) -> None:
    output = session.output
    text = f"unchanged {found.written}"
    if fields:
        text = f"edited {found.written}: {', '.join(fields)}"
    result = Edited(changed=bool(fields), fields=list(fields), version=WholeVersion.of(saved))
    output.show(result, ids=[saved.id], text=lambda: output.line(text, is_safe=True))


def _save(
    session: Session, version: Version, fields: Document, expected: datetime | None
) -> Version:
    if not fields:
        return version
    return session.versions.update_draft(
        version.id, expected_updated_at=expected, **as_arguments(fields)
    )


# --- from a file or stdin


def _from_text(
    session: Session,
    found: FoundVersion,
    version: Version,
    text: str,
    source: str,
    *,
    overwrite: bool,
) -> tuple[Version, Document]:
    """Save what a file says, and keep the text of stdin where that fails."""
    try:
        return _save_text(session, version, text, source, overwrite=overwrite)
    except (CommandError, TrainingVersionsError) as exc:
        kept = Path(source)
        if source == STDIN:
            kept = _temporary(found)
            kept.write_text(text, encoding="utf-8")
            session.output.note(f"What stdin said is kept in {kept}")
        if isinstance(exc, ConflictError):
            raise _conflict(exc, found, kept) from exc
        raise


def _save_text(
    session: Session, version: Version, text: str, source: str, *, overwrite: bool
) -> tuple[Version, Document]:
    document = parse_object(text, source)
    fields = changed_fields(version, document, source)
    expected = edit_token_of(document, source)
    if expected is None:
        expected = version.updated_at
    if overwrite:
        expected = None
    return _save(session, version, fields, expected), fields


def _conflict(exc: ConflictError, found: FoundVersion, kept: Path) -> CommandError:
    again = f"training-versions edit {shlex.quote(found.written)} --from {kept} --overwrite"
    hint = f"Your text is in {kept}. To save it over what is there now:\n  {again}"
    if exc.code != _EDITED_SINCE:
        hint = f"{exc.hint or ''} Your text is in {kept}.".strip()
    return CommandError(exc.message.rstrip("."), hint=hint, status=CONFLICT)


# --- in an editor


def _in_editor(
    session: Session, found: FoundVersion, version: Version, *, overwrite: bool
) -> tuple[Version, Document]:
    if not session.output.can_ask:
        raise usage(
            "there is no terminal for an editor",
            hint="Give the content with --from FILE, or with --config and the like.",
        )
    path = _temporary(found)
    before = write_document(document_of(version))
    path.write_text(before, encoding="utf-8")
    try:
        while True:
            _open_editor(session.output, path)
            try:
                saved = _save_text(
                    session, version, read_text(str(path)), str(path), overwrite=overwrite
                )
                break
            except (CommandError, InvalidInputError, RejectedError) as exc:
                if not _again(session, exc):
                    raise
    except ConflictError as exc:
        raise _conflict(exc, found, path) from exc
    except BaseException:
        _keep_what_was_written(session.output, path, before)
        raise
    path.unlink(missing_ok=True)
    return saved


def _keep_what_was_written(output: Output, path: Path, before: str) -> None:
    """Say where the text is; without anything of the user's in it, remove the file."""
    try:
        is_untouched = path.read_text(encoding="utf-8") == before
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError):
        is_untouched = False
    if is_untouched:
        path.unlink(missing_ok=True)
    else:
        output.note(f"Your text is kept in {path}")


def _again(session: Session, exc: CommandError | TrainingVersionsError) -> bool:
    """Say what is wrong with the text, and ask whether to go on with it."""
    output = session.output
    output.error(exc.message, exc.hint)
    output.err.write("Edit it again? [Y/n] ")
    output.err.flush()
    return input().strip().lower() in ("", "y", "yes")


def _open_editor(output: Output, path: Path) -> None:
    # Where stdout is a pipe, as with --json, the editor still needs the screen.
    screen = None if output.is_terminal else output.err
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        # ctrl-C in the editor is the editor's; a handler, as what is ignored would be inherited.
        before = signal.signal(signal.SIGINT, _leave_it_to_the_editor)
        try:
            done = subprocess.run([*shlex.split(command), str(path)], check=False, stdout=screen)
        finally:
            signal.signal(signal.SIGINT, before)
    except (OSError, ValueError) as exc:
        raise CommandError(
            f"the editor {command!r} cannot be started: {exc}",
            hint="Set EDITOR to the command of your editor.",
            status=USAGE,
        ) from None
    if done.returncode != 0:
        raise CommandError(f"the editor {command!r} ended with status {done.returncode}")


def _leave_it_to_the_editor(*_: Any) -> None:
    pass


def _temporary(found: FoundVersion) -> Path:
    """Make a file of the user's own for the text, with a name that says what it is."""
    handle, name = tempfile.mkstemp(
        prefix=f"training-version-{found.version.version_number}-", suffix=".json"
    )
    os.close(handle)
    return Path(name)
