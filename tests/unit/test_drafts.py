"""What is sent when drafts are created and edited."""

from training_versions import UNSET
from training_versions.models import DraftFields, VersionSummary
from training_versions.operations.drafts import FIELD_RULES

from .scripted import OTHER, PACKAGE, VERSION, VERSIONS, params_of


def test_only_what_is_given_is_sent_with_a_draft() -> None:
    draft = VERSIONS.create_draft(
        PACKAGE, config={"r": 8}, model={}, dataset=[], name="a", estimated_cost="0.10"
    )

    sent = params_of(draft)

    assert sorted(sent) == ["p_fields", "p_package_id", "p_version_id"]
    assert sent["p_fields"] == {
        "config_snapshot": {"r": 8},
        "model_snapshot": {},
        "dataset_snapshot": [],
        "name": "a",
        "estimated_cost": 0.1,
    }


def test_an_edit_sends_what_is_named_and_none_empties() -> None:
    edit = VERSIONS.update_draft(
        VERSION,
        change_summary=None,
        name=UNSET,
        budget_limit=UNSET,
        config={"r": 1},
        parent_version_id=OTHER,
    )

    assert params_of(edit)["p_changes"] == {
        "change_summary": None,
        "config_snapshot": {"r": 1},
        "parent_version_id": str(OTHER),
    }


def test_every_editable_field_has_a_rule_and_is_read_back() -> None:
    assert set(FIELD_RULES) == set(DraftFields.__annotations__)
    assert set(FIELD_RULES) <= set(VersionSummary.model_fields)
