"""Users and their sessions, in the schema `auth` of the stack's database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..database import Database, quote_literal
from ..keys import Secrets, load_secrets

_CREATE_USER = """
    insert into auth.users (id, email, encrypted_password, raw_user_meta_data)
    values (gen_random_uuid(), lower({email}), {password}, {metadata})
    on conflict (email) do nothing
    returning id;
"""
_START_SESSION = "select auth.start_session({user_id});"
_FIND_PASSWORD = """
    select json_build_object('id', id, 'password', encrypted_password)
    from auth.users where email = lower({email});
"""
_REFRESH_SESSION = "select auth.refresh_session({token});"
_FIND_USER = "select auth.user_as_json(users) from auth.users where id::text = {user_id};"
_FIND_SESSION = "select id from auth.sessions where id::text = {session_id};"
_UPDATE_USER = """
    update auth.users set
        raw_user_meta_data = raw_user_meta_data || {metadata},
        encrypted_password = coalesce(nullif({password}, ''), encrypted_password),
        updated_at = now()
    where id::text = {user_id}
    returning auth.user_as_json(users);
"""
# Whose sessions end, for each scope of a sign-out.
_END_SESSIONS = {
    "global": "delete from auth.sessions where user_id::text = {user_id};",
    "local": "delete from auth.sessions where id::text = {session_id};",
    "others": """
        delete from auth.sessions where user_id::text = {user_id} and id::text <> {session_id};
    """,
}
SCOPES = frozenset(_END_SESSIONS)


@dataclass(frozen=True)
class Users:
    """The users of one stack."""

    database: Database
    data_dir: Path
    issuer: str

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Self:
        """Make it from what the supervisor has written down."""
        data_dir = Path(settings["data_dir"])
        password = load_secrets(data_dir).password
        database = Database(Path(settings["bin_folder"]), settings["database_port"], password)
        return cls(database, data_dir, settings["issuer"])

    @property
    def secrets(self) -> Secrets:
        """The keys of now: a signing key may have been rotated."""
        return load_secrets(self.data_dir)

    def create(self, email: str, password_hash: str, metadata: dict[str, Any]) -> str | None:
        """Create a user and return the identifier; None if the address is taken."""
        return self._ask(
            _CREATE_USER, email=email, password=password_hash, metadata=json.dumps(metadata)
        )

    def find_password(self, email: str) -> tuple[str, str] | None:
        """Return the identifier of a user and the hash of their password, if there is one."""
        found = self._ask_json(_FIND_PASSWORD, email=email)
        if found is None or found["password"] is None:
            return None
        return found["id"], found["password"]

    def start_session(self, user_id: str) -> dict[str, Any] | None:
        """Start a session."""
        return self._ask_json(_START_SESSION, user_id=user_id)

    def refresh_session(self, refresh_token: str) -> dict[str, Any] | None:
        """Give a session another refresh token; the answer has an `error` if that is refused."""
        return self._ask_json(_REFRESH_SESSION, token=refresh_token)

    def has_session(self, session_id: str) -> bool:
        """Return whether a session has not ended."""
        return self._ask(_FIND_SESSION, session_id=session_id) is not None

    def find(self, user_id: str) -> dict[str, Any] | None:
        """Return a user as clients know them."""
        return self._ask_json(_FIND_USER, user_id=user_id)

    def update(
        self, user_id: str, *, password_hash: str, metadata: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Change a user's password, unless it is empty, and add metadata."""
        return self._ask_json(
            _UPDATE_USER, user_id=user_id, password=password_hash, metadata=json.dumps(metadata)
        )

    def end_sessions(self, scope: str, user_id: str, session_id: str) -> None:
        """End this session of a user, all of them, or all but this one."""
        self._ask(_END_SESSIONS[scope], user_id=user_id, session_id=session_id)

    def _ask(self, statement: str, **values: str) -> str | None:
        """Run a statement, and return the one value that it prints."""
        # Not as arguments of psql, which every user of the machine can read.
        literals = {name: quote_literal(value) for name, value in values.items()}
        printed = self.database.psql("--file=-", stdin=statement.format(**literals)).strip()
        return printed if printed else None

    def _ask_json(self, statement: str, **values: str) -> Any:
        printed = self._ask(statement, **values)
        return None if printed is None else json.loads(printed)
