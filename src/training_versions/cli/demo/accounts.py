"""The two users of the demo."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from training_versions.local import LocalSupabase


@dataclass(frozen=True)
class DemoUser:
    """A user who can sign in, by password as well."""

    email: str
    password: str


@dataclass(frozen=True)
class DemoAccounts:
    """Who can sign in: one with most of the content, and one who sees none of that."""

    ada: DemoUser
    grace: DemoUser


def sign_up(supabase: LocalSupabase) -> DemoAccounts:
    """Create both users with a password that is made up for them."""
    # The ports of the demo are open to everybody on this machine.
    password = secrets.token_hex(4)
    users = [DemoUser(f"{name}@example.com", password) for name in ("ada", "grace")]
    for user in users:
        client = supabase.client()
        client.auth.sign_up({"email": user.email, "password": user.password})
    return DemoAccounts(*users)
