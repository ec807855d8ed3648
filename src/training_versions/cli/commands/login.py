"""Sign in and out."""

from __future__ import annotations

import os
import sys

import click
from pydantic import BaseModel

from training_versions.cli import storage
from training_versions.cli.command import command, pass_session
from training_versions.cli.context import Session, address, is_service_key, keys_of_environment
from training_versions.cli.exits import CommandError, usage


class SignedIn(BaseModel):
    """Who is signed in where."""

    url: str
    user_id: str
    email: str


class SignedOut(BaseModel):
    """Whether somebody was signed in, and whether the project ended the session, too."""

    was_signed_in: bool
    revoked: bool


@command(
    "login",
    result=SignedIn,
    example=(
        "training-versions login",
        "training-versions login --email ada@example.com --password-stdin < password.txt",
    ),
)
@click.option("--url", metavar="URL", help="The project; by default SUPABASE_URL.")
@click.option(
    "--key", metavar="KEY", help="Its publishable key; by default SUPABASE_PUBLISHABLE_KEY."
)
@click.option("--email", metavar="ADDRESS", help="Your address; asked for otherwise.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@pass_session
def login(
    session: Session, url: str | None, key: str | None, email: str | None, password_stdin: bool
) -> None:
    """Sign in, and stay signed in.

    With an address and a password. The session is kept in a file that only you can read. The
    password is asked for, or read from stdin; it is never an argument, as others on the machine
    could see it.
    """
    from training_versions.cli.auth import http_client, sign_in
    from training_versions.project import is_on_this_machine

    output = session.output
    url = _project_url(session, url)
    key = _publishable_key(session, key)
    if not email:
        email = _ask(session, "Email", "--email")
    if url.startswith("http://") and not is_on_this_machine(url):
        output.note("This address is not https: others can read the password on its way.")
    password = _read_password(session, from_stdin=password_stdin)
    output.secrets.add(password)

    with http_client(url) as http:
        made = sign_in(http, url, key, email, password)
    with storage.locked():
        storage.store(made)

    for name in ("SUPABASE_ACCESS_TOKEN", "SUPABASE_SECRET_KEY"):
        if os.environ.get(name, "").strip():
            output.note(f"{name} is set, and goes before the session that you have now.")
    result = SignedIn(url=made.url, user_id=made.user_id, email=made.email)
    output.show(
        result,
        ids=[made.user_id],
        text=lambda: output.line(f"Signed in to {made.url} as {made.email}."),
    )


def _project_url(session: Session, given: str | None) -> str:
    """Return the URL of the project from the option, the environment or a prompt."""
    from_environment = os.environ.get("SUPABASE_URL", "")
    for text, source in ((given or "", "--url"), (from_environment, "SUPABASE_URL")):
        url = address(text, source)
        if url:
            return url
    return address(_ask(session, "Project URL", "--url, or SUPABASE_URL"), "Project URL")


def _publishable_key(session: Session, given: str | None) -> str:
    """Return the key to sign in with from the option, the environment or a prompt."""
    key = (given or _key_of_environment()).strip()
    if not key:
        key = _ask(session, "Publishable key", "--key, or SUPABASE_PUBLISHABLE_KEY")
    if is_service_key(key):
        session.output.secrets.add(key)
        raise usage(
            "that is a secret key, and users sign in with the publishable one",
            hint="A secret key needs no login: set SUPABASE_SECRET_KEY.",
        )
    return key


def _key_of_environment() -> str:
    """Return the publishable key from the environment, or a secret key set in its place."""
    _, public_key = keys_of_environment()
    return public_key or os.environ.get("SUPABASE_PUBLISHABLE_KEY", "")


def _ask(session: Session, what: str, otherwise: str) -> str:
    if not session.output.can_ask:
        raise usage(
            f"{what} is missing, and there is no terminal to ask", hint=f"Give {otherwise}."
        )
    session.output.err.write(f"{what}: ")
    session.output.err.flush()
    answer = input().strip()
    if not answer:
        raise usage(f"{what} is missing")
    return answer


def _read_password(session: Session, *, from_stdin: bool) -> str:
    if from_stdin:
        # The line end that `echo` and password managers add is not part of the password.
        password = sys.stdin.readline().rstrip("\r\n")
    elif session.output.can_ask:
        from getpass import getpass

        password = getpass("Password: ", session.output.err)
    else:
        raise usage(
            "the password is missing, and there is no terminal to ask",
            hint="Pipe it: --password-stdin < password.txt",
        )
    if not password:
        raise usage("the password is empty")
    return password


@command("logout", result=SignedOut, example="training-versions logout")
@pass_session
def logout(session: Session) -> None:
    """Sign out: end the stored session, here and at the project."""
    from training_versions.cli.auth import http_client, sign_out

    output = session.output
    with storage.locked():
        revoked, is_damaged = False, False
        try:
            stored = storage.load()
        except CommandError:
            # A damaged session is removed, too.
            stored, is_damaged = None, True
        if stored is not None:
            output.secrets.update((stored.access_token, stored.refresh_token))
            with http_client(stored.url) as http:
                revoked = sign_out(http, stored)
        # Remove it in any case, so that signing out works if the project cannot be reached.
        storage.remove()

    was_signed_in = stored is not None or is_damaged
    result = SignedOut(was_signed_in=was_signed_in, revoked=revoked)
    text = "You were not signed in."
    if is_damaged:
        text = "Removed a session that could not be read."
    if stored is not None:
        text = f"Signed out of {stored.url}."
    output.show(result, text=lambda: output.line(text))
    if was_signed_in and not revoked:
        output.note(
            "The project could not be told: whoever copied the session can use it until it ends."
        )
