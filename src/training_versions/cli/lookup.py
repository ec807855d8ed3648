"""Find the package or version that a reference names, by asking the project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from training_versions import DeploymentTarget, Package, Version, VersionSummary
from training_versions.cli.context import Session
from training_versions.cli.exits import CommandError, not_found, usage
from training_versions.cli.names import (
    HOW,
    TARGETS,
    Reference,
    Selector,
    for_shell,
    read_reference,
    write_name,
    write_version,
)
from training_versions.models import Deployment

_MOST_LISTED: Final = 10


@dataclass(frozen=True)
class Found:
    """The package that a reference names, and the version if it names one."""

    package: Package
    version: Version | None

    @property
    def written(self) -> str:
        """The reference in the form that this command line prints."""
        if self.version is None:
            return write_name(self.package.name)
        return write_version(self.package.name, self.version.version_number)


@dataclass(frozen=True)
class FoundVersion(Found):
    """A version that a reference names, or the default version of the package it names."""

    version: Version


def find(session: Session, text: str, *, beside: Package | None = None) -> Found:
    """Find the package or version that a reference names.

    Args:
        session: The session of the command.
        text: The reference.
        beside: The package for a reference that is only a selector, as in `diff bot@1 @2`.

    Raises:
        CommandError: Nothing matches the reference, or several packages or versions do.
    """
    reference = read_reference(text)
    if reference.id is not None and reference.selector is None:
        return _find_by_id(session, reference.id)
    package = _package_of(session, reference, beside)
    if reference.selector is None:
        return Found(package, None)
    return Found(package, _select(session, package, reference.selector))


def find_package(session: Session, text: str) -> Package:
    """Find the package that a reference names.

    Raises:
        CommandError: It is not found, or the reference names a version.
    """
    found = find(session, text)
    if found.version is not None:
        raise usage(
            f"{text} names a version, and a package is meant",
            hint=f"Write {_typed(found.package)}",
        )
    return found.package


def find_version(
    session: Session,
    text: str,
    *,
    default: str | Selector | None = None,
    beside: Package | None = None,
) -> FoundVersion:
    """Find the version that a reference names.

    Args:
        session: The session of the command.
        text: The reference.
        default: The version to use if the reference names only a package: `latest`, `published`,
            `draft`, or a selector. Without a default, the reference must name a version.
        beside: As for `find`.

    Raises:
        CommandError: Nothing matches the reference, or several packages or versions do.
    """
    found = find(session, text, beside=beside)
    if found.version is not None:
        return FoundVersion(found.package, found.version)
    if default is None:
        raise usage(
            f"{text} names a package, and a version is meant",
            hint=f"Write {_typed(found.package, '@3')}, for example; "
            f"training-versions versions {_typed(found.package)} lists them.",
        )
    if isinstance(default, str):
        default = Selector(word=default)
    return FoundVersion(found.package, _select(session, found.package, default))


class PackageNames:
    """A cache of package names by id."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names: dict[UUID, str] = {}

    def add(self, package: Package) -> None:
        """Add a package that was read already."""
        self._names[package.id] = package.name

    def name(self, package_id: UUID) -> str:
        """Return the name of a package, or its id if the package is not found."""
        if package_id not in self._names:
            package = self._session.packages.find(package_id)
            self._names[package_id] = str(package_id) if package is None else package.name
        return self._names[package_id]


def package_of(session: Session, version: VersionSummary) -> Package:
    """Return the package of a version."""
    return session.packages.get(version.package_id)


def _typed(package: Package, selector: str = "") -> str:
    """Return the reference of a package or version, quoted for a shell."""
    return for_shell(f"{write_name(package.name)}{selector}")


# --- packages


def _find_by_id(session: Session, given: UUID) -> Found:
    version = session.versions.find(given)
    if version is not None:
        return Found(package_of(session, version), version)
    package = session.packages.find(given)
    if package is None:
        raise not_found(f"there is no package and no version {given} that you can see")
    return Found(package, None)


def _package_of(session: Session, reference: Reference, beside: Package | None) -> Package:
    if reference.id is not None:
        package = session.packages.find(reference.id)
        if package is None:
            raise not_found(f"there is no package {reference.id} that you can see")
        return package
    if reference.name is not None:
        return _package_by_name(session, reference.name)
    return beside or _only_package(session, reference)


def _package_by_name(session: Session, name: str) -> Package:
    alike: list[Package] = []
    if len(name) <= 255:
        alike = list(session.packages.iterate(text=name))
    same = [package for package in alike if package.name == name]
    if len(same) == 1:
        return same[0]
    if same:
        raise _several(name, same)
    raise not_found(
        f"there is no package {write_name(name)}",
        hint=_similar(session, name) or _hint_for(name),
    )


def _hint_for(name: str) -> str:
    if "@" in name:
        return f"After the name of a package: {HOW}."
    if name.isdecimal():
        return f"A version is written with an @: support-bot@{name}."
    return "training-versions packages lists yours."


def _several(name: str, packages: list[Package]) -> CommandError:
    lines = [_identify(package) for package in packages[:_MOST_LISTED]]
    if len(packages) > _MOST_LISTED:
        lines.append(f"and {len(packages) - _MOST_LISTED} more")
    return usage(
        f"{len(packages)} packages are called {write_name(name)}",
        hint="Name one by its id:\n" + "\n".join(f"  {line}" for line in lines),
    )


def _identify(package: Package) -> str:
    noun = "versions"
    if package.version_count == 1:
        noun = "version"
    created = ""
    if package.created_at is not None:
        created = f", created {package.created_at.date()}"
    return f"{package.id}  {package.version_count} {noun}{created}"


def _similar(session: Session, name: str) -> str | None:
    from difflib import get_close_matches

    # Comparing with the newest packages is enough for a suggestion.
    names = {package.name.casefold(): package.name for package in session.packages.list(limit=200)}
    close = get_close_matches(name.casefold(), names, n=1)
    if not close:
        return None
    return f"Did you mean {for_shell(write_name(names[close[0]]))}?"


def _only_package(session: Session, reference: Reference) -> Package:
    page = session.packages.list(limit=2)
    if len(page) == 1 and page.next_cursor is None:
        return page[0]
    if not page:
        raise not_found("you have no package yet", hint="training-versions create NAME --type …")
    example = _typed(page[0], reference.text)
    raise usage(f"{reference.text} does not say of which package", hint=f"Write {example}.")


# --- versions


def _select(session: Session, package: Package, selector: Selector) -> Version:
    if selector.number is not None:
        return _by_number(session, package, selector.number)
    if selector.is_live or selector.day is not None:
        return _by_deployment(session, package, selector)
    name = write_name(package.name)
    if selector.word == "draft":
        return _only_draft(session, package)
    if selector.word == "published":
        version = session.versions.latest_published(package.id)
        missing = f"{name} has no published version"
    else:
        version = session.versions.latest(package.id)
        missing = f"{name} has no version yet"
    if version is None:
        raise _no_such_version(package, missing)
    return version


def _no_such_version(package: Package, message: str) -> CommandError:
    if package.version_count == 0:
        return not_found(message, hint=_make_a_draft(package))
    return not_found(message, hint=f"training-versions versions {_typed(package)} lists them.")


def _make_a_draft(package: Package) -> str:
    return f"training-versions draft {_typed(package)} makes a draft."


def _by_number(session: Session, package: Package, number: int) -> Version:
    from training_versions import NotFoundError

    try:
        return session.versions.get_by_number(package.id, number)
    except NotFoundError:
        name = write_name(package.name)
        raise _no_such_version(package, f"{name} has no version {number}") from None


def _only_draft(session: Session, package: Package) -> Version:
    name = write_name(package.name)
    drafts = session.versions.list(package.id, status="draft", limit=_MOST_LISTED)
    if not drafts:
        raise not_found(f"{name} has no draft", hint=_make_a_draft(package))
    if len(drafts) > 1 or drafts.next_cursor is not None:
        written = ", ".join(_typed(package, f"@{each.version_number}") for each in drafts)
        raise usage(f"{name} has several drafts", hint=f"Name one: {written}")
    return session.versions.get(drafts[0].id)


def _by_deployment(session: Session, package: Package, selector: Selector) -> Version:
    """Find the version that is live, or was on a day, at the target or at any target."""
    stays = _stays(session, package, selector)
    name = write_name(package.name)
    if not stays:
        hint = f"training-versions live {_typed(package)} --all lists what was live, and when."
        raise not_found(_nothing_live(name, selector), hint=hint)
    if len({stay.version_id for stay in stays}) > 1:
        selectors = [_typed(package, f"{selector}:{stay.target}") for stay in stays]
        raise usage(
            f"{name}{selector} is not one version: another is live at each target",
            hint=f"Write {' or '.join(selectors)}.",
        )
    return session.versions.get(stays[0].version_id)


def _stays(session: Session, package: Package, selector: Selector) -> list[Deployment]:
    target = None
    if selector.target is not None:
        target = DeploymentTarget(selector.target)
    moment = None
    if selector.day is not None:
        moment = selector.moment_of_past()
    live = None
    if moment is None:
        live = True
    found = session.versions.iterate_deployments(
        package_id=package.id, target=target, live=live, at=moment
    )
    return sorted(found, key=lambda stay: TARGETS.index(stay.target))


def _nothing_live(name: str, selector: Selector) -> str:
    where = ""
    if selector.target is not None:
        where = f" at {selector.target}"
    if selector.day is None:
        return f"no version of {name} is live{where}"
    return f"no version of {name} was live{where} at the end of {selector.day} (UTC)"
