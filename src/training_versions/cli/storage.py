"""The stored session: a file that only its user can read, and a lock for those who renew it.

Refresh tokens can be used once. Two commands that start at the same time would each use the one in
the file, and the project would end the session; so whoever renews it holds the lock and reads the
file again first.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from training_versions.cli.exits import CommandError, not_allowed


@dataclass(frozen=True)
class StoredSession:
    """A session as it is kept between commands."""

    url: str
    key: str
    access_token: str
    refresh_token: str
    expires_at: float
    user_id: str
    email: str

    def __repr__(self) -> str:
        return f"<StoredSession of {self.email} at {self.url}>"


def folder() -> Path:
    """Return the folder of the session: `training-versions` in the user's configuration."""
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    # The specification says that a relative path counts as none.
    if configured and Path(configured).is_absolute():
        return Path(configured) / "training-versions"
    return Path.home() / ".config" / "training-versions"


def session_file() -> Path:
    """Return the path of the session."""
    return folder() / "session.json"


def load() -> StoredSession | None:
    """Return the stored session, or `None` if nobody is signed in."""
    try:
        return _parse(session_file().read_bytes())
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise _unusable(exc) from exc
    except (ValueError, TypeError):
        raise not_allowed(
            f"the stored session {session_file()} cannot be read",
            hint="training-versions login writes it anew.",
        ) from None


def make_private() -> bool:
    """Take the stored session from the eyes of others, and return whether they could read it."""
    if os.name != "posix":
        # Elsewhere these bits say nothing about others.
        return False
    path = session_file()
    try:
        if not path.stat().st_mode & 0o077:
            return False
        path.chmod(0o600)
    except FileNotFoundError:
        return False
    except OSError as exc:
        raise _unusable(exc) from exc
    return True


def _parse(content: bytes) -> StoredSession:
    """Read what `store` wrote.

    Raises:
        ValueError: It is something else.
        TypeError: It is something else.
    """
    session = StoredSession(**cast("dict[str, Any]", json.loads(content)))
    # Whatever JSON held, which the class does not check.
    texts: tuple[Any, ...] = (session.url, session.key, session.access_token, session.refresh_token)
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ValueError("one of its texts is none")
    return replace(session, expires_at=float(session.expires_at))


def store(session: StoredSession) -> None:
    """Keep a session: the file shows the old one or the new one, and is never open to others."""
    target = session_file()
    unfinished = target.with_name(f".session-{secrets.token_hex(8)}")
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        folder().chmod(0o700)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(session), file)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as exc:
        raise _unusable(exc) from exc


def remove() -> None:
    """Forget the stored session."""
    try:
        session_file().unlink(missing_ok=True)
    except OSError as exc:
        raise _unusable(exc) from exc


@contextmanager
def locked() -> Generator[None]:
    """Keep other commands from renewing the session meanwhile."""
    try:
        import fcntl
    except ImportError:
        # No such lock on Windows: two commands at once may have to sign in again.
        yield
        return
    path = folder() / "session.lock"
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise _unusable(exc) from exc
    try:
        # Ends with the process that holds it, however that ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unusable(exc: OSError) -> CommandError:
    return CommandError(
        f"the stored session cannot be used: {exc.strerror}: {exc.filename}",
        hint="SUPABASE_ACCESS_TOKEN in the environment needs no file.",
    )
