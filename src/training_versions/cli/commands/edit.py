"""Edit a draft: in an editor, from a file or stdin, or field by field.

If anything fails, the user's text is kept in a file, and a message names the file.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TextIO

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
from training_versions.cli.foreground import ending_on_sigterm
from training_versions.cli.lookup import FoundVersion, find_version
from training_versions.cli.names import for_shell
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
    # Read the files first: a missing file is wrong use, whatever the draft.
    fields = read_content(options)
    if source is not None and fields:
        raise usage("--from and options for fields exclude each other")
    if source is not None:
        edited = _from_text(session, draft, read_text(source), source, overwrite=overwrite)
    else:
        found = find_version(session, draft, default="draft")
        if fields:
            expected = found.version.updated_at
            edited = _save(session, found, fields, expected, overwrite=overwrite)
        else:
            edited = _in_editor(session, found, overwrite=overwrite)
    output = session.output
    output.show(
        edited.result(),
        ids=[edited.saved.id],
        text=lambda: output.line(edited.text(), is_safe=True),
    )


@dataclass(frozen=True)
class _Edit:
    """A draft after an edit, and the changed fields."""

    found: FoundVersion
    saved: Version
    fields: Document

    def text(self) -> str:
        if not self.fields:
            return f"unchanged {self.found.written}"
        return f"edited {self.found.written}: {', '.join(self.fields)}"

    def result(self) -> Edited:
        return Edited(
            changed=bool(self.fields),
            fields=list(self.fields),
            version=WholeVersion.of(self.saved),
        )


def _save(
    session: Session,
    found: FoundVersion,
    fields: Document,
    expected: datetime,
    *,
    overwrite: bool,
) -> _Edit:
    version = found.version
    if fields:
        version = session.versions.update_draft(
            version.id,
            expected_updated_at=None if overwrite else expected,
            **as_arguments(fields),
        )
    return _Edit(found, version, fields)


# --- from a file or stdin


def _from_text(session: Session, draft: str, text: str, source: str, *, overwrite: bool) -> _Edit:
    """Save the text of a file or stdin. If that fails, keep the text of stdin in a file."""
    try:
        found = find_version(session, draft, default="draft")
        return _save_text(session, found, text, source, overwrite=overwrite)
    except (CommandError, TrainingVersionsError) as exc:
        kept = Path(source)
        if source == STDIN:
            kept = _temporary()
            kept.write_text(text, encoding="utf-8")
            session.output.note(f"What stdin said is kept in {kept}")
        if isinstance(exc, ConflictError):
            raise _conflict(exc, draft, kept) from exc
        raise


def _save_text(
    session: Session, found: FoundVersion, text: str, source: str, *, overwrite: bool
) -> _Edit:
    document = parse_object(text, source)
    fields = changed_fields(found.version, document, source)
    expected = edit_token_of(document, source)
    if expected is None:
        expected = found.version.updated_at
    return _save(session, found, fields, expected, overwrite=overwrite)


def _conflict(exc: ConflictError, draft: str, kept: Path) -> CommandError:
    again = f"training-versions edit {for_shell(draft)} --from {kept} --overwrite"
    hint = f"Your text is in {kept}. To save it over what is there now:\n  {again}"
    if exc.code != _EDITED_SINCE:
        hint = f"{exc.hint or ''} Your text is in {kept}.".strip()
    return CommandError(exc.message.rstrip("."), hint=hint, status=CONFLICT)


# --- in an editor


def _in_editor(session: Session, found: FoundVersion, *, overwrite: bool) -> _Edit:
    if not session.output.can_ask:
        raise usage(
            "there is no terminal for an editor",
            hint="Give the content with --from FILE, or with --config and the like.",
        )
    path = _temporary()
    before = write_document(document_of(found.version))
    path.write_text(before, encoding="utf-8")
    try:
        while True:
            _open_editor(session.output, path)
            try:
                text = read_text(str(path))
                edited = _save_text(session, found, text, str(path), overwrite=overwrite)
                break
            except (CommandError, InvalidInputError, RejectedError) as exc:
                if not _again(session, exc):
                    raise
    except ConflictError as exc:
        raise _conflict(exc, found.written, path) from exc
    except SystemExit:
        # After SIGTERM: the editor may still write its text when it ends, or even later.
        session.output.note(f"Your text is kept in {path}")
        raise
    except BaseException:
        _keep_what_was_written(session.output, path, before)
        raise
    path.unlink(missing_ok=True)
    return edited


def _keep_what_was_written(output: Output, path: Path, before: str) -> None:
    """Name the file with the text, or remove the file if the user did not change it."""
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
    """Print the error, and ask whether to edit the text again."""
    output = session.output
    output.error(exc.message, exc.hint)
    output.err.write("Edit it again? [Y/n] ")
    output.err.flush()
    return input().strip().lower() in ("", "y", "yes")


def _open_editor(output: Output, path: Path) -> None:
    # If stdout is a pipe, as with --json, the editor still needs the terminal.
    screen = None
    if not output.is_terminal:
        screen = output.err
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        with _signals_for_an_editor():
            status = _run_editor([*shlex.split(command), str(path)], screen)
    except (OSError, ValueError) as exc:
        raise CommandError(
            f"the editor {command!r} cannot be started: {exc}",
            hint="Set EDITOR to the command of your editor.",
            status=USAGE,
        ) from None
    if status != 0:
        raise CommandError(f"the editor {command!r} ended with status {status}")


def _run_editor(command: list[str], screen: TextIO | None) -> int:
    with subprocess.Popen(command, stdout=screen) as editor:
        try:
            return editor.wait()
        except SystemExit:
            # An editor that is left running would read the input for the shell.
            editor.terminate()
            raise


@contextmanager
def _signals_for_an_editor() -> Generator[None, None, None]:
    # Ctrl-C is for the editor alone. It is not set to be ignored, as the editor would inherit that.
    before = signal.signal(signal.SIGINT, _leave_it_to_the_editor)
    try:
        with ending_on_sigterm():
            yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave_it_to_the_editor(*_: Any) -> None:
    pass


def _temporary() -> Path:
    """Create a private temporary file for the text, and return its path."""
    handle, name = tempfile.mkstemp(prefix="training-version-", suffix=".json")
    os.close(handle)
    return Path(name)
