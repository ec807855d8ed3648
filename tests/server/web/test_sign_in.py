"""Signing in, the session, and signing out."""

from __future__ import annotations

from tests.server.web.visitor import Visitor


def test_who_is_not_signed_in_is_sent_to_the_form_and_back(
    visitor: Visitor, owner_email: str
) -> None:
    asked = visitor.get("/?text=bot")

    assert asked.status_code == 303
    assert asked.headers["Location"] == "/sign-in?next=%2F%3Ftext%3Dbot"

    visitor.sign_in(owner_email)
    page = visitor.get("/")

    assert page.status_code == 200
    assert owner_email in page.text
