"""The web server: the pages and REST endpoints of a project, or only the endpoints."""

from __future__ import annotations

import os
from typing import Any

import click
from pydantic import BaseModel

from training_versions.cli import storage
from training_versions.cli.command import command, pass_session
from training_versions.cli.context import Session, address, keys_of_environment
from training_versions.cli.exits import INTERRUPTED, usage
from training_versions.cli.foreground import (
    address_of,
    ending_on_sigterm,
    listen,
    missing_extra,
    serve,
)

API_PREFIX = "/api/training"


class Served(BaseModel):
    """What `serve --json` prints once it answers."""

    project: str
    page: str | None
    api: str


@command(
    "serve",
    result=Served,
    example=("training-versions serve", "training-versions serve --api-only --port 9000"),
)
@click.option("--host", default="127.0.0.1", metavar="HOST", help="127.0.0.1 by default.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    metavar="N",
    help="8000 by default; 0 for any free one.",
)
@click.option("--api-only", is_flag=True, help="Serve no pages.")
@pass_session
def serve_project(session: Session, host: str, port: int, api_only: bool) -> int:
    """Serve the page and the REST endpoints of a project, until ctrl-C.

    The project is that of SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY, else the one that you are
    signed in to. Whoever uses the page or the endpoints signs in there.
    """
    url, key = _find_project()
    has_pages, app = _make_app(session, url, key, api_only=api_only)
    with ending_on_sigterm(), listen(host, port) as listener:
        base = address_of(listener)
        served = Served(
            project=url,
            page=f"{base}/" if has_pages else None,
            api=f"{base}{API_PREFIX}",
        )
        try:
            serve(app, listener, when_ready=lambda: _announce(session, served))
        except KeyboardInterrupt:
            session.output.say()
            session.output.say("Stopped.")
    return INTERRUPTED


def _find_project() -> tuple[str, str]:
    """Return the URL and the public key of the project."""
    url = address(os.environ.get("SUPABASE_URL", ""))
    if not url:
        stored = storage.load()
        if stored is None:
            raise usage(
                "it is not known which project to serve",
                hint="Set SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY.",
            )
        return stored.url, stored.key
    _, public_key = keys_of_environment()
    if not public_key:
        is_secret = bool(os.environ.get("SUPABASE_PUBLISHABLE_KEY", "").strip())
        said = "SUPABASE_PUBLISHABLE_KEY holds a secret key"
        raise usage(
            said if is_secret else "the publishable key of the project is missing",
            hint="Set SUPABASE_PUBLISHABLE_KEY. A secret key is not used: "
            "the server acts as whoever signs in.",
        )
    return url, public_key


def _make_app(session: Session, url: str, key: str, *, api_only: bool) -> tuple[bool, Any]:
    """Return whether the application has pages, and the application itself."""
    if not api_only:
        try:
            from training_versions.web import create_app as create_pages
        except ModuleNotFoundError as exc:
            session.output.note(
                f"Without pages, which need the extra 'web': there is no module {exc.name}."
            )
        else:
            return True, create_pages(url=url, key=key)
    try:
        from training_versions.rest import create_app
    except ModuleNotFoundError as exc:
        raise missing_extra("api", "the server", exc) from None
    return False, create_app(url=url, key=key)


def _announce(session: Session, served: Served) -> None:
    output = session.output
    first = served.page or served.api
    output.show(served, ids=[first], text=lambda: output.fields(served.model_dump().items()))
    output.say("It runs until you press ctrl-C.")
    output.flush()
