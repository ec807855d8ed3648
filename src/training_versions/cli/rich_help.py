"""The help of a command on a terminal, drawn with rich-click."""

from __future__ import annotations

from typing import Final

import click
from rich.console import Console
from rich_click import RichCommand, RichContext

from training_versions.cli.command import Command

_CONFIG: Final = {
    # A theme without boxes, which do not fit on narrow terminals.
    "theme": "nord-nu",
    "width": None,
    "show_arguments": False,
}


def draw_help(command: Command, ctx: click.Context, console: Console) -> str:
    """Return the help of a command with colours, as wide as the terminal."""
    drawn = RichCommand(name=command.name, params=command.params, help=command.help)
    colors = console.color_system
    context = RichContext(
        drawn,
        info_name=ctx.command_path,
        rich_help_config=_CONFIG | {"width": console.width, "color_system": colors},
    )
    with console.capture() as examples:
        console.print("\n Examples:", style="bold")
        for line in command.example:
            console.print(f"  {line}", soft_wrap=True)
    return drawn.get_help(context).rstrip() + "\n" + examples.get().rstrip("\n")
