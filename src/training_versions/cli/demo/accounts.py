"""The two users of the demo."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from training_versions.local import LocalSupabase


@dataclass(frozen=True)
class DemoUser:
    """A user who can sign in with a password."""

    email: str
    password: str


@dataclass(frozen=True)
class DemoAccounts:
    """The users of the demo: one with most of the content, and one who cannot see it."""

    ada: DemoUser
    grace: DemoUser


def sign_up(supabase: LocalSupabase) -> DemoAccounts:
    """Create both users with a random password."""
    # The password is random, as everybody on this machine can reach the ports of the demo.
    password = secrets.token_hex(4)
    users = [DemoUser(f"{name}@example.com", password) for name in ("ada", "grace")]
    for user in users:
        client = supabase.client()
        client.auth.sign_up({"email": user.email, "password": user.password})
    return DemoAccounts(*users)
