"""The stored session: a file that only its user can read, and a lock for renewing it.

A refresh token can be used once. If two commands used the one in the file at the same time, the
project would end the session. So a command takes the lock and reads the file again before it
renews the session.
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
    """A session that is kept between commands."""

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
    # The XDG specification says to ignore a relative path.
    if configured and Path(configured).is_absolute():
        return Path(configured) / "training-versions"
    return Path.home() / ".config" / "training-versions"


def session_file() -> Path:
    """Return the path of the session file."""
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
    """Make the session file private, and return whether others could read it before."""
    if os.name != "posix":
        # On other systems, these bits do not control access by others.
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
    """Parse a session file.

    Raises:
        ValueError: The content is not a session.
        TypeError: The content is not a session.
    """
    session = StoredSession(**cast("dict[str, Any]", json.loads(content)))
    # The class does not check the types of the JSON values.
    texts: tuple[Any, ...] = (session.url, session.key, session.access_token, session.refresh_token)
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ValueError("one of its texts is none")
    return replace(session, expires_at=float(session.expires_at))


def store(session: StoredSession) -> None:
    """Store a session. The file is replaced atomically, and others can never read it."""
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
    """Delete the stored session."""
    try:
        session_file().unlink(missing_ok=True)
    except OSError as exc:
        raise _unusable(exc) from exc


@contextmanager
def locked() -> Generator[None]:
    """Hold the lock that is needed to renew the session."""
    try:
        import fcntl
    except ImportError:
        # Windows has no such lock. There, two commands at once may lose the session.
        yield
        return
    path = folder() / "session.lock"
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise _unusable(exc) from exc
    try:
        # The system releases the lock when the process ends, however it ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unusable(exc: OSError) -> CommandError:
    return CommandError(
        f"the stored session cannot be used: {exc.strerror}: {exc.filename}",
        hint="SUPABASE_ACCESS_TOKEN in the environment needs no file.",
    )
