"""Drafts for the tests of the editor, and the forms that edit them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

import httpx

from tests.server.web.visitor import OURS, Visitor, csrf_token
from training_versions import PackageRepository, Version, VersionRepository
from training_versions.local import LocalSupabase

CONFIG = {"r": 16, "lora": {"alpha": 32, "dropout": 0.05}, "epochs": 1.0}


@dataclass
class Drafter:
    """Makes drafts as one user, and edits them past the page."""

    versions: VersionRepository
    packages: PackageRepository

    @classmethod
    def of(cls, stack: LocalSupabase, email: str) -> Drafter:
        client = stack.sign_in(email)
        return cls(VersionRepository(client), PackageRepository(client))

    def draft(self, package_name: str = "support-bot", /, **fields: Any) -> Version:
        package = self.packages.create(package_name, template_type="lora_finetuning", config={})
        given = {"config": CONFIG, "model": {"id": "mistral-7b"}, "dataset": [{"datasetId": "faq"}]}
        return self.versions.create_draft(package.id, **(given | fields))

    def now(self, draft: Version) -> Version:
        return self.versions.get(draft.id)


def path_of(version: Version) -> str:
    return f"/packages/{version.package_id}/v/{version.version_number}/edit"


_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_TEXTAREA = re.compile(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', re.DOTALL)
_INPUT = re.compile(r'<input id="field-[^"]*" name="([^"]+)" [^>]*?value="([^"]*)"', re.DOTALL)


def form_of(page: httpx.Response) -> dict[str, str]:
    """What a browser without scripts sends for the editor of a page as it is."""
    _, _, form = page.text.partition('<form id="editor"')
    fields = [*_HIDDEN.findall(form), *_TEXTAREA.findall(form), *_INPUT.findall(form)]
    # Forms send line ends as networks do.
    plain = {name: html.unescape(text).replace("\r\n", "\n") for name, text in fields}
    return {name: text.replace("\n", "\r\n") for name, text in plain.items()}


class Tab:
    """An open editor, as its script talks to the server."""

    def __init__(self, visitor: Visitor, version: Version) -> None:
        self.visitor = visitor
        self.path = path_of(version)
        page = visitor.get(self.path)
        self.csrf_token = csrf_token(page)
        self.form = form_of(page)

    def save(self, **texts: str) -> httpx.Response:
        return self.send("", texts)

    def compare(self, **texts: str) -> httpx.Response:
        base = {name: text for name, text in self.form.items() if name.startswith("base.")}
        now = {name.removeprefix("base."): text for name, text in base.items()}
        return self.send("/compare", base | now | texts)

    def send(self, path: str, fields: dict[str, str]) -> httpx.Response:
        hidden = {name: self.form[name] for name in ("version_id", "token")}
        headers = OURS | {"Accept": "application/json", "X-CSRF-Token": self.csrf_token}
        return self.visitor.post(f"{self.path}{path}", hidden | fields, headers=headers)
