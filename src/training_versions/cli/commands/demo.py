"""The demo: a project on this machine with content, and the page on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from pydantic import BaseModel

from training_versions.cli.command import command, pass_session
from training_versions.cli.context import Session
from training_versions.cli.exits import INTERRUPTED
from training_versions.cli.foreground import (
    address_of,
    ending_on_sigterm,
    listen,
    local_stack,
    missing_extra,
    serve,
)

if TYPE_CHECKING:
    from training_versions.cli.demo import DemoAccounts
    from training_versions.local import LocalSupabase


class DemoLogin(BaseModel):
    """Who can sign in."""

    email: str
    password: str


class DemoProject(BaseModel):
    """What `demo --json` prints once the page answers."""

    page: str
    logins: list[DemoLogin]
    url: str
    publishable_key: str


@command("demo", result=DemoProject, example="training-versions demo")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="A free one by default."
)
@click.option("--open", "in_browser", is_flag=True, help="Open the page in your browser.")
@pass_session
def demo(session: Session, port: int, in_browser: bool) -> int:
    """Look around in a project with content, on this machine, until ctrl-C.

    It has two users, packages with some weeks of history, and the page. Everything is thrown away
    at the end.
    """
    try:
        from training_versions.web import create_app
    except ModuleNotFoundError as exc:
        raise missing_extra("web", "the demo", exc, install="local,web") from None
    output = session.output
    try:
        with ending_on_sigterm(), listen("127.0.0.1", port) as listener:
            output.say("Starting a database and filling it; this takes some seconds.")
            with local_stack() as stack:
                from training_versions.cli.demo import fill

                project = _describe(stack, fill(stack), address_of(listener))
                serve(
                    create_app(url=stack.url, key=stack.publishable_key),
                    listener,
                    when_ready=lambda: _announce(session, project, in_browser=in_browser),
                )
    except KeyboardInterrupt:
        output.say()
        output.say("Stopped; nothing is left.")
    return INTERRUPTED


def _describe(stack: LocalSupabase, accounts: DemoAccounts, page: str) -> DemoProject:
    users = (accounts.ada, accounts.grace)
    return DemoProject(
        page=f"{page}/",
        logins=[DemoLogin(email=user.email, password=user.password) for user in users],
        url=stack.url,
        publishable_key=stack.publishable_key,
    )


def _announce(session: Session, project: DemoProject, *, in_browser: bool) -> None:
    output = session.output
    output.show(project, ids=[project.page], text=lambda: _print(session, project))
    output.say()
    output.say("It runs until you press ctrl-C; then everything is thrown away.")
    output.flush()
    if in_browser:
        import webbrowser

        webbrowser.open(project.page)


def _print(session: Session, project: DemoProject) -> None:
    output = session.output
    output.styled(f"The page: {project.page}", "bold")
    output.line(f"The REST endpoints: {project.page}api/training")
    output.line()
    for login in project.logins:
        output.line(f"Sign in as {login.email}")
        output.line(f"  password {login.password}")
    output.line()
    output.line("Or in another shell:")
    output.line(f"  export SUPABASE_URL={project.url}")
    output.line(f"  export SUPABASE_PUBLISHABLE_KEY={project.publishable_key}")
    output.line("  training-versions login")
    output.line("  training-versions versions support-bot")
