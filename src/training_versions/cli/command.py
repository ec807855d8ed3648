"""The base of all commands: the options `--json`, `-q` and `--debug`, examples, and help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import click

from training_versions.cli.context import Session
from training_versions.cli.exits import CommandError, usage

F = TypeVar("F", bound=Callable[..., Any])

pass_session = click.make_pass_decorator(Session)


class Command(click.Command):
    """A command with examples, which prints text, JSON or ids.

    Args:
        example: The lines of the example, as typed in a shell.
        result: The type of the `--json` output, for the schema. Without it, the command has
            neither `--json` nor `-q`.
    """

    def __init__(
        self, *args: Any, example: Sequence[str] = (), result: object = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.example = tuple(example)
        self.result = result
        if result is not None:
            self.params += _output_options()
        self.params.append(_debug_option())

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. If the SDK refuses an argument, name the option that set it."""
        from training_versions.errors import InvalidInputError

        try:
            return super().invoke(ctx)
        except InvalidInputError as exc:
            option = self._option_of(ctx, exc.field)
            if option is None:
                raise
            reason = exc.message.removeprefix(str(exc.field)).lstrip().rstrip(".")
            raise usage(f"{option} {reason}", hint=exc.hint) from exc

    def _option_of(self, ctx: click.Context, name: str | None) -> str | None:
        """Return the given option that sets this argument, or `None`."""
        for parameter in self.params:
            option = parameter.opts[0]
            was_given = ctx.params.get(parameter.name or "") is not None
            if was_given and option.startswith("--") and name in (parameter.name, option[2:]):
                return option
        return None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Examples"):
            for line in self.example:
                # Examples are not wrapped, so that they can be copied.
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def get_help(self, ctx: click.Context) -> str:
        """Return the help: with colours on a terminal, plain in a pipe."""
        session = ctx.find_object(Session)
        if session is None or not session.output.is_terminal:
            return super().get_help(ctx)
        from training_versions.cli.rich_help import draw_help

        return draw_help(self, ctx, session.output.console)


class Topic(click.Group):
    """A command with subcommands, such as `train start`.

    Example:
        >>> train = Topic("train", help="Record training.")
        >>> @train.part("start", example="training-versions train start support-bot@3")
    """

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, as wide as the terminal."""
        session = ctx.find_object(Session)
        if session is not None and session.output.is_terminal:
            ctx.terminal_width = session.output.console.width
        return super().get_help(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the subcommands, each with its full sentence."""
        rows = [(name, made.get_short_help_str(200)) for name, made in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first example of each subcommand."""
        made = [each for each in self.commands.values() if isinstance(each, Command)]
        with formatter.section("Examples"):
            for each in made:
                formatter.write(f"{'':{formatter.current_indent}}{each.example[0]}\n")

    def part(
        self, name: str, *, example: str | Sequence[str], result: object = None
    ) -> Callable[[Callable[..., Any]], Command]:
        """Decorate a function as a subcommand. The arguments are those of `command`."""

        def decorate(function: Callable[..., Any]) -> Command:
            made = command(name, example=example, result=result)(function)
            self.add_command(made)
            return made

        return decorate


def command(
    name: str, *, example: str | Sequence[str], result: object = None
) -> Callable[[Callable[..., Any]], Command]:
    """Decorate a function as a command. Its docstring is the help.

    Args:
        name: The name of the command.
        example: The lines of the example, as typed in a shell.
        result: The type of the `--json` output.
    """
    examples = tuple(example)
    if isinstance(example, str):
        examples = (example,)

    def decorate(function: Callable[..., Any]) -> Command:
        return click.command(name, cls=Command, example=examples, result=result)(function)

    return decorate


def _output_options() -> list[click.Parameter]:
    as_json = click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        callback=_set_json,
        help="Print JSON.",
    )
    quiet = click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        expose_value=False,
        callback=_set_quiet,
        help="Print ids only.",
    )
    return [as_json, quiet]


def _debug_option() -> click.Parameter:
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        callback=_set_debug,
        is_eager=True,
        help="Say where an error came from.",
    )


def _session(ctx: click.Context) -> Session:
    session = ctx.find_object(Session)
    assert session is not None
    return session


def _set_json(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        _set_mode(ctx, "json")


def _set_quiet(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        _set_mode(ctx, "quiet")


def _set_mode(ctx: click.Context, mode: Any) -> None:
    output = _session(ctx).output
    if output.mode not in ("text", mode):
        raise usage("--json and --quiet exclude each other")
    output.mode = mode


def _set_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        _session(ctx).output.debug = True


# --- options that several commands have


def yes_option(function: F) -> F:
    """Add the option `--yes`, which skips the confirmation."""
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")(function)


def dry_run_option(function: F) -> F:
    """Add the option `--dry-run`."""
    return click.option(
        "--dry-run", is_flag=True, help="Show what would come of it, and change nothing."
    )(function)


def limit_option(function: F) -> F:
    """Add the option `--limit`."""
    return click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many.")(
        function
    )


def oldest_option(function: F) -> F:
    """Add the option `--oldest` to a list that is newest first."""
    return click.option("--oldest", is_flag=True, help="Oldest first.")(function)


def filter_option(name: str, values: type[StrEnum], help_text: str) -> Callable[[F], F]:
    """Return an option that filters by one or several values of an enum."""
    choices = [str(value) for value in values]
    return click.option(
        name,
        type=click.Choice(choices),
        multiple=True,
        # The choices do not fit into one line, so they are in the help text.
        metavar=name.removeprefix("--").upper(),
        help=f"{help_text}: {', '.join(choices)}. Can be repeated.",
    )


def id_option(parameter: str, of: str = "Its") -> Callable[[F], F]:
    """Return the option for the id of the object that a command creates."""
    return click.option(
        "--id",
        parameter,
        type=click.UUID,
        metavar="ID",
        help=f"{of} id; repeats then do nothing.",
    )


def confirm(session: Session, question: str, *, yes: bool) -> None:
    """Ask for confirmation; without a terminal, require `--yes`.

    Raises:
        CommandError: The answer is no, or there is no terminal to ask on.
    """
    if yes:
        return
    if not session.output.can_ask:
        raise usage(f"{question!r} needs a yes, and there is no terminal to ask", hint="Add --yes.")
    session.output.flush()
    session.output.err.write(f"{question} [y/N] ")
    session.output.err.flush()
    answer = input()
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandError("you did not say yes; nothing was changed")
