"""Copies of versions: a restored or forked draft, and what of it no longer fits today's types."""

from typing import TYPE_CHECKING, Literal

from training_versions.models.base import Record, Replayable
from training_versions.models.versions import VersionSummary


class Misfit(Record):
    """A place where a stored snapshot does not fit the repository's type for it."""

    __module__ = "training_versions"

    path: str
    """A JSON Pointer (RFC 6901) such as `/config_snapshot/lora/r`."""
    problem: Literal["missing", "unknown", "invalid"]
    """A required key is missing, a key is unknown and would be dropped, or a value is invalid."""
    message: str


class CopiedDraft(Replayable, Record):
    """A new draft with the content of another version, and what of that no longer fits the types.

    The draft holds all of the content, whether it fits or not. This object is truthy if everything
    fits.
    """

    __module__ = "training_versions"

    draft: VersionSummary
    misfits: tuple[Misfit, ...]

    # Type checkers do not see it, or every name would be an attribute to them.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name in VersionSummary.model_fields:
                raise AttributeError(
                    f"a CopiedDraft has no {name}: write copied.draft.{name}", name=name, obj=self
                )
            return super().__getattr__(name)

    def __repr__(self) -> str:
        return f"<CopiedDraft {self.draft!r}, {len(self.misfits)} misfits>"

    @property
    def fits(self) -> bool:
        """Whether the repository can read the draft without losing anything."""
        return not self.misfits

    def __bool__(self) -> bool:
        return self.fits
