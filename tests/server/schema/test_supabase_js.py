"""The TypeScript clients of the first release still work: their calls, through supabase-js."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from training_versions import Version

SCRIPT = Path(__file__).parents[2] / "js" / "seven_calls.mjs"


@pytest.fixture(scope="module")
def user(callers):
    return callers.new_user()


@pytest.fixture(scope="module")
def answers(callers, user):
    done = subprocess.run(
        ["node", SCRIPT],
        env={
            "PATH": os.environ["PATH"],
            "SUPABASE_URL": callers.stack.url,
            "SUPABASE_KEY": callers.stack.anon_key,
            "USER_TOKEN": user.token,
            "USER_ID": user.id,
        },
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def data(answers, call):
    assert answers[call]["error"] is None
    return answers[call]["data"]


def test_1_a_config_is_created(answers, user):
    config = data(answers, "config")

    assert (config["name"], config["template_type"], config["user_id"]) == (
        "my-package",
        "lora_finetuning",
        user.id,
    )
    assert (
        config["version_count"],
        config["latest_published_version"],
        config["current_version_id"],
    ) == (0, 0, None)


def test_2_the_next_number_is_1(answers):
    assert data(answers, "number") == 1


def test_3_a_draft_is_saved_under_that_number(answers, user):
    draft = data(answers, "draft")

    assert (draft["version_number"], draft["name"]) == (1, "my-package-v1-draft-20250131")
    assert (draft["status"], draft["created_by"], draft["is_deployed"]) == ("draft", user.id, False)
    assert draft["dataset_snapshot"] == [{"datasetId": "123"}]


def test_3_a_draft_is_edited(answers):
    assert data(answers, "edited")["config_snapshot"] == {"r": 32}


def test_4_the_draft_is_published(answers, user):
    published = data(answers, "published")

    assert published["id"] == data(answers, "draft")["id"]
    assert (published["status"], published["published_by"]) == ("published", user.id)
    assert published["name"] == "my-package-v1"
    assert published["published_at"]


def test_5_all_versions_are_listed_newest_first(answers):
    assert [version["version_number"] for version in data(answers, "all")] == [2, 1]


def test_6_the_latest_published_version_is_found(answers):
    assert data(answers, "latest")["id"] == data(answers, "draft")["id"]


def test_7_a_fork_is_a_draft_with_a_parent(answers):
    fork = data(answers, "fork")

    assert (fork["parent_version_id"], fork["version_number"]) == (data(answers, "draft")["id"], 2)


def test_every_version_has_the_columns_that_the_sdk_reads(answers):
    for version in data(answers, "all"):
        assert version.keys() == {*Version.model_fields, "content_updated_at"}


def test_a_published_version_is_not_rewritten(answers):
    assert answers["rewritten"]["error"]["code"] == "PGRST116"
    assert data(answers, "latest")["config_snapshot"] == {"r": 32}


def test_a_taken_number_is_a_unique_violation(answers):
    assert (answers["taken"]["status"], answers["taken"]["error"]["code"]) == (409, "23505")


def test_the_config_shows_what_happened_to_it(answers):
    config = data(answers, "config_afterwards")

    assert (config["version_count"], config["latest_published_version"]) == (2, 1)
    assert config["current_version_id"] == data(answers, "draft")["id"]
