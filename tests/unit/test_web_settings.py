"""The settings of the page."""

import pytest

from training_versions import InvalidInputError
from training_versions.web import create_app

SERVICE_ROLE = "e30.eyJyb2xlIjogInNlcnZpY2Vfcm9sZSJ9.x"


@pytest.mark.parametrize("key", ["sb_secret_x", SERVICE_ROLE])
def test_the_page_takes_no_key_that_skips_the_policies(key: str) -> None:
    with pytest.raises(InvalidInputError, match="publishable key, and is a secret one") as refused:
        create_app(url="https://project.test", key=key)

    assert refused.value.field == "key"


def test_a_project_that_is_not_known_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUPABASE_URL", raising=False)

    with pytest.raises(InvalidInputError, match="set SUPABASE_URL"):
        create_app(key="key")
