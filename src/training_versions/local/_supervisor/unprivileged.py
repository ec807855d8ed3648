"""PostgreSQL refuses to run as root. Here is whom it runs as instead, and how it gets to its files.

That user may not enter root's private folders, and those folders must stay private. So programs
that it cannot reach are copied, and `pgdata` is handed to it as an open file descriptor.
"""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import LocalStackError
from .processes import SAME_USER, Command, SystemUser, run


def choose_user(pgdata: Path) -> SystemUser:
    """Return the user that PostgreSQL runs as: for root, the owner of the data or `nobody`."""
    if os.geteuid() != 0:
        return SAME_USER
    if pgdata.exists():
        owner = pgdata.stat()
        return _system_user(owner.st_uid, owner.st_gid)
    return nobody()


def nobody() -> SystemUser:
    """Return the user who owns nothing."""
    entry = pwd.getpwnam("nobody")
    return _system_user(entry.pw_uid, entry.pw_gid)


def _system_user(uid: int, gid: int) -> SystemUser:
    # None of root's groups.
    return SystemUser(uid, gid, extra_groups=())


def is_reachable(folder: Path, user: SystemUser) -> bool:
    """Whether this user may walk to this folder and into it."""
    # Tried as that user, because permissions are not all there is: access lists, mounts.
    try:
        run(Command(["test", "-x", str(folder)], user=user))
    except LocalStackError:
        return False
    return True


def hand_over(path: Path, user: SystemUser) -> None:
    """Make this user the owner of a file or folder; the user of this process owns it already."""
    if user.uid is not None and user.gid is not None:
        os.chown(path, user.uid, user.gid, follow_symlinks=False)


def reachable_programs(bin_folder: Path, user: SystemUser, copy_to: Path) -> Path:
    """Return PostgreSQL's `bin` folder, or a copy of it that this user can enter."""
    if user == SAME_USER or is_reachable(bin_folder, user):
        return bin_folder
    return _copy_installation(bin_folder, user, copy_to)


def _copy_installation(bin_folder: Path, user: SystemUser, target: Path) -> Path:
    """Copy the installation around a `bin` folder, shared libraries of a wheel included."""
    installation = bin_folder.parent
    package = installation.parent
    copied_package = target / package.name
    copied_installation = copied_package / installation.name
    shutil.copytree(installation, copied_installation, symlinks=True)
    # Wheels keep their shared libraries in a folder beside the package, found by relative path.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for path in (target, *target.rglob("*")):
        hand_over(path, user)
    return copied_installation / bin_folder.name


@dataclass(frozen=True)
class ReachableFolder:
    """A folder under a name that the user of a program can open."""

    name: str
    open_files: tuple[int, ...]  # the program must inherit these


def reachable_folder(folder: Path, user: SystemUser) -> ReachableFolder:
    """Make a folder reachable for a user who may not enter the folders around it."""
    if user == SAME_USER or sys.platform != "linux":
        return ReachableFolder(str(folder), open_files=())
    # Linux checks no folder on the way to a descriptor that is open. It is never closed, so that
    # its number is not given to another file while a program starts.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    return ReachableFolder(f"/proc/self/fd/{descriptor}", open_files=(descriptor,))
