"""Things to look at: the versions of somebody who is signed in to the pages as well."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from tests.data import SNAPSHOTS
from tests.server.web.visitor import OURS, Visitor
from training_versions import Package, PackageRepository, Version, VersionRepository
from training_versions.local import LocalSupabase

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@dataclass
class Shop:
    """The pages and the SDK, as the same person."""

    pages: Visitor
    packages: PackageRepository
    versions: VersionRepository

    @classmethod
    def open(cls, pages: Visitor, stack: LocalSupabase, email: str) -> Shop:
        client = stack.sign_in(email)
        return cls(pages, PackageRepository(client), VersionRepository(client))

    def package(self, name: str = "support-bot") -> Package:
        return self.packages.create(name, template_type="lora_finetuning", config={})

    def draft(self, package_id: UUID, **given: Any) -> Version:
        return self.versions.create_draft(package_id, **SNAPSHOTS | given)

    def published(self, package_id: UUID, **given: Any) -> Version:
        return self.versions.publish(self.draft(package_id, **given).id)

    def form(self, path: str) -> dict[str, str]:
        """Return the hidden fields of the form that a page asks with."""
        page = self.pages.get(path)
        assert page.status_code == 200, page.text
        return hidden_fields(page)

    def confirm(self, path: str, **typed: str) -> httpx.Response:
        """Read a page that asks, and answer it."""
        return self.send(path, self.form(path) | typed)

    def send_at_once(self, path: str, fields: dict[str, str]) -> list[httpx.Response]:
        """Send the same form twice, the second time before the first is answered."""
        return self.pages.post_at_once(path, fields, headers=OURS)

    def send(self, path: str, fields: dict[str, str]) -> httpx.Response:
        return self.pages.post(path.partition("?")[0], fields, headers=OURS)


def hidden_fields(page: httpx.Response) -> dict[str, str]:
    # The last form: the first one signs out.
    last = page.text.rpartition("<form ")[2]
    return {name: html.unescape(value) for name, value in _HIDDEN.findall(last)}


def path_of(version: Version, action: str = "") -> str:
    path = f"/packages/{version.package_id}/v/{version.version_number}"
    return f"{path}/{action}" if action else path


def text_of(page: httpx.Response) -> str:
    """Return what a person reads of a page, with single blanks."""
    main = page.text.partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", main)).split())
