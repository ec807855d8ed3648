"""Run one command: find it, parse its arguments, and turn errors into an exit status.

Only the module of the command that is run is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import click

from training_versions.cli import exits
from training_versions.cli.command import Command, Topic
from training_versions.cli.context import Session, secrets_of_environment
from training_versions.cli.exits import CommandError
from training_versions.cli.index import MODULES, help_text
from training_versions.cli.output import Output


def load_command(name: str) -> Command | Topic | None:
    """Return the command with this name, or `None`."""
    if name not in MODULES:
        return None
    module = import_module(f"training_versions.cli.commands.{MODULES[name]}")
    for value in vars(module).values():
        if isinstance(value, Command | Topic) and value.name == name:
            return value
    raise LookupError(f"commands/{MODULES[name]}.py has no command {name}")


class LazyGroup(click.Group):
    """The group of all commands. Each is imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with this name."""
        return load_command(cmd_name)

    def get_help(self, ctx: click.Context) -> str:
        """Return the list of commands."""
        return help_text()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names."""
        name = args[0]
        if name.startswith("-"):
            raise exits.usage(
                f"{name} stands before the command",
                hint="Options come after it: training-versions COMMAND [OPTIONS].",
            )
        if name not in MODULES:
            raise exits.usage(f"there is no command {name!r}", hint=_nearest(name))
        return super().resolve_command(ctx, args)


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, MODULES, n=1)
    if close:
        return f"Did you mean: training-versions {close[0]}"
    return "training-versions --help lists the commands."


_GROUP = LazyGroup(
    "training-versions",
    # An option before the command is refused in `resolve_command`, with a hint.
    context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]},
    add_help_option=False,
)


def run(arguments: Sequence[str], output: Output | None = None) -> int:
    """Run the command in `arguments`, and return its exit status."""
    output = output or Output()
    output.secrets |= secrets_of_environment()
    session = Session(output)
    try:
        return _guarded(lambda: _invoke(list(arguments), session), session)
    finally:
        session.close()


def _invoke(arguments: list[str], session: Session) -> int:
    # Not click's `main`, which has its own statuses for ctrl-C and closed pipes.
    try:
        with _GROUP.make_context("training-versions", arguments, obj=session) as context:
            result: object = _GROUP.invoke(context)
    except click.exceptions.Exit as exc:
        result = exc.exit_code
    # Flush here, where a closed pipe is handled, and not when Python exits.
    session.output.flush()
    if isinstance(result, int):
        return result
    return exits.DONE


def _guarded(call: Callable[[], int], session: Session) -> int:
    """Call a function, and turn every exception into a message and an exit status."""
    from training_versions.errors import TrainingVersionsError

    output = session.output
    try:
        return call()
    except BrokenPipeError:
        _stop_writing()
        return exits.PIPE_CLOSED
    except (KeyboardInterrupt, EOFError, click.Abort):
        output.err.write("\n")
        output.error("interrupted")
        return exits.INTERRUPTED
    except CommandError as exc:
        return _fail(output, exc, exc.message, exc.hint, exc.status)
    except click.ClickException as exc:
        message, hint = _explain_usage(exc)
        return _fail(output, exc, message, hint, exc.exit_code)
    except TrainingVersionsError as exc:
        from training_versions.cli.sdk_errors import as_command_error

        shown = as_command_error(session, exc)
        return _fail(output, exc, shown.message, shown.hint, shown.status)
    except OSError as exc:
        if exc.filename is None:
            # The error is of stdout and not of a file, for example because the disk is full.
            # Flushing its buffer would fail again.
            _stop_writing()
        return _fail(output, exc, f"cannot go on: {exc}", None, exits.FAILED)
    except Exception as exc:
        hint = "Please report it, with what --debug adds."
        return _fail(output, exc, f"unexpected {type(exc).__name__}: {exc}", hint, exits.FAILED)


def _fail(output: Output, exc: Exception, message: str, hint: str | None, status: int) -> int:
    if output.debug:
        import traceback

        # A plain traceback, as the values of variables may be secrets.
        output.err.write(output.hide("".join(traceback.format_exception(exc))))
    output.error(message, hint)
    return status


def _explain_usage(exc: click.ClickException) -> tuple[str, str | None]:
    """Return the message of a click error, and the help command to read."""
    from training_versions.cli.sdk_errors import as_part

    # click puts each choice on its own line, but an error is one line.
    message = as_part(exc.format_message().replace("\n\t", " "))
    if isinstance(exc, click.UsageError) and exc.ctx is not None:
        return message, f"{exc.ctx.command_path} --help"
    return message, None


def _stop_writing() -> None:
    """Redirect stdout to the null device, so that flushing it when Python exits cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
