"""Two packages with everything that a version can have, and hostile text wherever text goes."""

from __future__ import annotations

from dataclasses import dataclass

from training_versions import Package, PackageRepository, Version, VersionRepository
from training_versions.local import LocalSupabase

MARKUP = "</textarea></script><script>alert(1)</script><img src=x onerror=alert(2)>"
TURNED = "\u202eevil\u2066 \u200b{{ 7*7 }} ${x} ' \" & ; `"
LONG = "x" * 240
URL = "javascript:alert(3)//<b>"
KEY = "/a~b/\u2028\t<b>__proto__"


@dataclass(frozen=True)
class Packages:
    """The packages of one user."""

    first: Package
    second: Package
    old: Version
    """Published, trained, deployed and paid for."""
    new: Version
    """Published, and its training failed."""
    archived: Version
    draft: Version
    """Of the second package, made from the first."""
    versions: VersionRepository


def make_packages(stack: LocalSupabase, email: str) -> Packages:
    client = stack.sign_in(email)
    packages, versions = PackageRepository(client), VersionRepository(client)
    first = packages.create(MARKUP, template_type=MARKUP[:50], config={KEY: MARKUP})
    second = packages.create(f"{TURNED}{LONG}"[:255], template_type="lora", config={})

    config = {"r": 8, KEY: MARKUP, "nested": {MARKUP: [TURNED, None, {"": 1.0}]}, "url": URL}
    given = {
        "model": {"id": MARKUP, "revision": TURNED},
        "dataset": [{"datasetId": MARKUP, "split": TURNED}, {"datasetId": LONG}],
        "change_summary": f"{MARKUP}\n{TURNED}",
    }
    archived = versions.create_draft(first.id, config={"r": 4}, model={"id": "m"}, dataset=[])
    versions.archive(versions.publish(archived.id).id)
    made = versions.create_draft(
        first.id, config=config, name=f"{MARKUP} {TURNED}", budget_limit="10.00", **given
    )
    old = versions.publish(made.id, name=made.name)
    run = versions.start_training(old.id)
    for step, loss in enumerate((1.5, 0.9, 0.4)):
        versions.record_metrics(old.id, {MARKUP: loss, "loss": loss}, step=step, run_id=run.id)
    versions.complete_training(old.id, run_id=run.id)
    versions.record_cost(old.id, "12.34", note=f"{MARKUP} {TURNED}")
    versions.deploy(old.id, "hf_space", url="https://example.com/?<b>", deployment_id=MARKUP)

    made = versions.create_draft(
        first.id, config=config | {"r": 16, TURNED: MARKUP}, parent_version_id=old.id, **given
    )
    new = versions.publish(made.id, name=TURNED)
    failed = versions.start_training(new.id)
    versions.fail_training(new.id, MARKUP, run_id=failed.id)

    draft = versions.fork(old.id, into=second.id).draft
    return Packages(first, second, old, new, versions.get(archived.id), draft, versions)


def paths_of(made: Packages) -> dict[str, str]:
    """One path of each page about them, by what it is."""
    first, second = f"/packages/{made.first.id}", f"/packages/{made.second.id}"
    old, new = (f"{first}/v/{v.version_number}" for v in (made.old, made.new))
    draft = f"{second}/v/{made.draft.version_number}"
    return {
        "package": first,
        "package-filtered": f"{first}?status=draft",
        "new-draft": f"{first}/new-draft",
        "history": f"{first}/history",
        "version": old,
        "content": f"{old}/content?at=/config_snapshot",
        "version-failed": new,
        "version-archived": f"{first}/v/{made.archived.version_number}",
        "compare": f"{first}/compare?left={made.old.version_number}"
        f"&right={made.new.version_number}",
        "compare-all": f"{first}/compare?left={made.old.version_number}"
        f"&right={made.new.version_number}&show=all",
        "restore": f"{old}/restore",
        "fork": f"{old}/fork",
        "deploy": f"{new}/deploy",
        "undeploy": f"{old}/undeploy",
        "archive": f"{new}/archive",
        "publish": f"{draft}/publish",
        "delete": f"{draft}/delete",
        "editor": f"{draft}/edit",
        "editor-published": f"{old}/edit",
    }
