"""Secrets: refused by everything that stores JSON, unless the repository was made to take them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.data import SNAPSHOTS
from tests.faces import both_faces
from training_versions import InvalidInputError

CONFIG: dict[str, Any] = {"hub": {"hub_token": "hf_" + "a1B2c3D4" * 4}}
NAMES: dict[str, Any] = {"template_type": "lora", "config": CONFIG}


@both_faces
def test_a_secret_is_refused_wherever_json_is_stored(ada, package):
    draft = ada.draft(package)
    attempts: list[tuple[str, Any]] = [
        ("config.hub.hub_token", lambda: ada.packages.create("a", **NAMES)),
        ("config.hub.hub_token", lambda: ada.packages.get_or_create("a", **NAMES)),
        ("config.hub.hub_token", lambda: ada.packages.update(package.id, config=CONFIG)),
        ("config.hub.hub_token", lambda: ada.draft(package, config=CONFIG)),
        ("model.hub.hub_token", lambda: ada.versions.update_draft(draft.id, model=CONFIG)),
        ("dataset[0].hub.hub_token", lambda: ada.draft(package, dataset=[CONFIG])),
        ("metrics.hub.hub_token", lambda: ada.versions.record_metrics(draft.id, CONFIG)),
    ]
    for place, attempt in attempts:
        with pytest.raises(InvalidInputError) as caught:
            attempt()
        assert caught.value.message.startswith(f"{place} contains a secret")


@both_faces
def test_a_repository_that_allows_secrets_stores_them(ada, face, package):
    packages = face.packages(ada.client, allow_secrets=True)
    versions = face.versions(ada.client, allow_secrets=True)

    made = packages.create("with a token", **NAMES)
    draft = versions.create_draft(made.id, **SNAPSHOTS | {"config": CONFIG})

    assert made.config_json == CONFIG
    assert ada.versions.get(draft.id).config_snapshot == CONFIG
    assert versions.update_draft(draft.id, model=CONFIG).model_snapshot == CONFIG
    # What is stored already is copied, and edited elsewhere.
    copy = ada.versions.fork(draft.id, into=package.id).draft
    assert ada.versions.get(copy.id).config_snapshot == CONFIG
    assert ada.versions.update_draft(draft.id, name="renamed").config_snapshot == CONFIG


def test_a_bundle_with_secrets_is_imported(ada, bob, face, tmp_path):
    packages = face.packages(ada.client, allow_secrets=True)
    made = packages.create("with a token", **NAMES)
    ada.packages.export(made.id, tmp_path / "bundle.jsonl")

    imported = bob.packages.import_(tmp_path / "bundle.jsonl")

    assert bob.packages.get(imported.package_id).config_json == CONFIG
