"""The actions of a user of the demo, with ids that are always the same."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from training_versions import JsonObject, PackageRepository, VersionRepository
from training_versions.cli.demo.curves import Curves
from training_versions.cli.demo.past import Past
from training_versions.local import LocalSupabase

# The namespace of this demo, from which the ids of all rows are derived.
_NAMESPACE = UUID("6f2b1c5e-7a3d-5d0f-9c41-1f0a8e6b2d93")


def id_of(name: str) -> UUID:
    """Return the id for a name, such as `"support-bot@3"`."""
    return uuid5(_NAMESPACE, name)


class Author:
    """A user whose actions are written through the SDK, with their times noted in a `Past`."""

    def __init__(self, supabase: LocalSupabase, email: str, past: Past) -> None:
        client = supabase.sign_in(email)
        self.packages = PackageRepository(client)
        self.versions = VersionRepository(client)
        self.past = past

    def create_package(self, name: str, config: dict[str, object]) -> None:
        """Create a package."""
        self.packages.create(
            name, template_type="lora_finetuning", config=config, package_id=id_of(name)
        )

    def draft(
        self,
        version: str,
        name: str,
        summary: str,
        *,
        config: dict[str, object],
        model: JsonObject,
        dataset: Sequence[JsonObject],
        parent: str | None = None,
        costs: tuple[str, str],
    ) -> UUID:
        """Create a draft.

        `version` is its name in the story, such as `"support-bot@3"`. `costs` are the estimated
        cost and the budget.
        """
        package = version.partition("@")[0]
        self.versions.create_draft(
            id_of(package),
            config=config,
            model=model,
            dataset=dataset,
            name=name,
            version_id=id_of(version),
            change_summary=summary,
            parent_version_id=id_of(parent) if parent else None,
            estimated_cost=costs[0],
            budget_limit=costs[1],
        )
        return id_of(version)

    def train(
        self,
        version_id: UUID,
        curves: Curves,
        *,
        start: tuple[int, str],
        end: tuple[int, str],
        failure: str | None = None,
    ) -> None:
        """Record a training run between two moments, each a number of days ago and a time."""
        self.past.at(*start)
        run = self.versions.start_training(version_id, run_id=id_of(f"{version_id}/{start}"))
        self.past.spread_until(*end)
        for step, metrics in curves.walk():
            self.versions.record_metrics(version_id, metrics, step=step, run_id=run.id)
        self.past.at(*end)
        if failure is None:
            self.versions.complete_training(version_id, run_id=run.id)
        else:
            self.versions.fail_training(version_id, failure, run_id=run.id)

    def pay(self, version_id: UUID, amount: str, note: str) -> None:
        """Record a cost."""
        self.versions.record_cost(
            version_id, amount, note=note, key=note, entry_id=id_of(f"{version_id}/{note}")
        )

    def deploy_to_space(self, version_id: UUID, name: str, moment: tuple[int, str]) -> None:
        """Deploy a version to the space with this name."""
        self.past.at(*moment)
        self.versions.deploy(
            version_id,
            "hf_space",
            url=f"https://acme-{name}.hf.space",
            deployment_id=f"acme/{name}",
            stay_id=id_of(f"{version_id}/{moment}"),
        )

    def deploy_locally(self, version_id: UUID, moment: tuple[int, str]) -> None:
        """Deploy a version to a machine of the user."""
        self.past.at(*moment)
        self.versions.deploy(
            version_id,
            "local",
            url="http://localhost:8080/v1",
            stay_id=id_of(f"{version_id}/{moment}"),
        )
