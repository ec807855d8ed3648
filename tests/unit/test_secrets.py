"""Secrets in snapshots: refused with their place, and never stored in clear by an object's dump."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from training_versions import InvalidInputError
from training_versions.snapshots import Codec

TEXT = "Abc123Def456Ghi789Jkl012Mno345Pqr6"
SECRETS = [
    f"hf_{TEXT}",
    f"Bearer hf_{TEXT}",
    f"--token=hf_{TEXT} --seed 1",
    f"sk-{TEXT}",
    f"sk-proj-{TEXT}_x-y",
    f"sk-ant-api03-{TEXT}",
    f"ghp_{TEXT}",
    f"gho_{TEXT}",
    f"github_pat_11ABC_{TEXT}",
    f"glpat-{TEXT}",
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-123456789012-abcdef",
    f"AIza{TEXT}",
    f"sb_secret_{TEXT}",
    f"npm_{TEXT}",
    f"hf_oauth_{TEXT}",
    f"lsv2_pt_{'0123456789abcdef' * 2}_0123456789",
    f"tgp_v1_{TEXT}",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlc2ln",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
    "https://ada:hunter2@example.org/repo.git",
    "postgresql://postgres:hunter2@localhost:5432/postgres",
]
NO_SECRETS = [
    *("hf_transformers", "sk-learn", "sklearn", "task-oriented-dialogue-generation-model"),
    *("meta-llama/Llama-3.1-8B", "https://example.org:8080/a@b", "git@github.com:a/b.git"),
    *("0123456789abcdef0123456789abcdef01234567", "eyJ", "ghp_", "<|endoftext|>", "AKIA"),
    *("-----BEGIN PUBLIC KEY-----", "risk-averse", "xox", "https://user@example.org/", "x" * 9999),
]
SECRET_KEYS = [
    *("hub_token", "hf_token", "HF_TOKEN", "access_token", "accessToken", "auth_token"),
    *("authToken", "github_token", "session_token"),
    *("use_auth_token", "push_to_hub_token", "api_key", "apiKey", "apikey", "API_KEY", "api-key"),
    *("OPENAI_API_KEY", "wandb_api_key", "secret", "client_secret", "secret_key", "password"),
    *("db_password", "dbPassword", "passwd", "passphrase", "private_key", "aws_secret_access_key"),
    *("credentials", "refresh_token", "service_role_key", "Authorization", "secrets", "api_keys"),
    *("hub_token_1", "api_key2", "hub_token ", "hub_token_"),
]
NOT_YET_SECRET = [
    *(
        None,
        True,
        "",
        "${HF_TOKEN}",
        "$HF_TOKEN",
        "{{ secrets.HF }}",
        "env:HF_TOKEN",
        "HF_TOKEN",
        "OPENAI_API_KEY",
        "Bearer ${HF_TOKEN}",
        "op://vault/hf/token",
        "<your token>",
        "none",
    ),
]
OPEN_KEYS = [
    *("eos_token", "bos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token"),
    *("image_token", "audio_token", "decoder_start_token", "stop_token", "max_new_tokens"),
    *("additional_special_tokens", "tokens", "tokenizer", "tokenizer_class", "token", "key"),
    *("key_mapping", "sort_key", "primary_key", "label_key", "num_key_value_heads", "keys"),
    *("secret_name_of_the_dataset", "password_field", "api_key_env", "keyboard", "monkey"),
    *("user_token", "bot_token", "id_token", "role_key", "user_role_key"),
    *("boi_token", "vision_start_token", "response_token", "metric_key", "passwordless"),
]


def written(value: object, type_: Any = None, **options: Any) -> Any:
    return Codec[Any]("config", "config_snapshot", type_, **options).write(value)


def refusal_of(value: object, type_: Any = None) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        written(value, type_)
    assert caught.value.field == "config"
    return caught.value


class Holder(BaseModel):
    inner: Any = None


@dataclasses.dataclass
class Fields:
    inner: Any


Owner = Callable[[Any], Any]
OWNERS: list[tuple[Owner, str]] = [
    (lambda text: {"a": [1, text]}, "config.a[1]"),
    (lambda text: {"a": (text,)}, "config.a[0]"),
    (lambda text: Holder(inner={"b": text}), "config.inner.b"),
    (lambda text: Fields([Fields(text)]), "config.inner[0].inner"),
]


@pytest.mark.parametrize("text", SECRETS)
def test_text_that_is_a_secret_by_its_form_is_refused(text: str) -> None:
    refusal = refusal_of({"a": text})

    assert refusal.message == "config.a contains a secret, by its form."
    assert "allow_secrets=True" in str(refusal.hint)
    assert TEXT not in str(refusal)


@pytest.mark.parametrize(("owner", "place"), OWNERS)
def test_a_secret_is_refused_with_its_place(owner: Any, place: str) -> None:
    refusal = refusal_of(owner(f"hf_{TEXT}"))

    assert refusal.message == f"{place} contains a secret, by its form."


def test_other_text_is_no_secret() -> None:
    assert written({"a": NO_SECRETS}) == {"a": NO_SECRETS}


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_text_that_is_a_secret_by_its_key_is_refused(key: str) -> None:
    refusal = refusal_of({"hub": [{key: "hunter2"}]})

    assert refusal.message.startswith("config.hub[0]")
    assert refusal.message.endswith("is a secret, by its key.")
    assert "hunter2" not in str(refusal)
    assert refusal_of({key: ["hunter2"]}).message.endswith("[0] is a secret, by its key.")
    assert key in refusal_of(Holder(inner={key: "hunter2"}), Holder).message


@pytest.mark.parametrize("value", NOT_YET_SECRET)
def test_the_key_of_a_secret_without_one_is_stored(value: object) -> None:
    config = dict.fromkeys(SECRET_KEYS, value)

    assert written(config) == config


def test_other_keys_name_no_secret() -> None:
    config = dict.fromkeys(OPEN_KEYS, "hunter2")

    assert written(config) == config


@pytest.mark.parametrize("key", ["token", "user_token", "bot_token"])
def test_a_token_that_looks_like_one_is_refused(key: str) -> None:
    assert refusal_of({key: "0123456789abcdefghij"}).message.startswith(f"config.{key} is a")


def test_all_in_an_object_under_the_key_of_a_secret_is_one() -> None:
    refusal = refusal_of({"credentials": {"of": [{"user": "ada"}]}})

    assert refusal.message == "config.credentials.of[0].user is a secret, by its key."


def test_numbers_are_no_secrets() -> None:
    config = {"label2id": {"B-secret": 1, "B-password": 2}}

    assert written(config) == config


@pytest.mark.parametrize("reference", ["env", "from_env", "secretName", "file"])
def test_an_object_may_say_where_a_secret_is(reference: str) -> None:
    config = {"api_key": {reference: "OPENAI_API_KEY", "required": True}}

    assert written(config) == config


def test_secrets_are_stored_where_they_are_allowed() -> None:
    config = {"hub_token": f"hf_{TEXT}", "a": {"password": "hunter2"}}

    assert written(config, allow_secrets=True) == config
    assert written(config, dict[str, Any], allow_secrets=True) == config


def test_a_secret_as_a_key_is_refused() -> None:
    refusal = refusal_of({f"hf_{TEXT}": 1})

    assert refusal.message == "a key of config contains a secret, by its form."


class LikeArguments:
    """As `TrainingArguments` does, it has a `to_dict()` that does not tell its token."""

    def __init__(self, token: str) -> None:
        self.hub_token = token

    def to_dict(self) -> dict[str, object]:
        return {"hub_token": "<HUB_TOKEN>", "seed": 1}


@dataclasses.dataclass
class Arguments:
    """And it is a dataclass, which Pydantic writes by its fields."""

    hub_token: str | None = None
    seed: int = 1
    labels: dict[int, str] = dataclasses.field(default_factory=dict[int, str])

    def to_dict(self) -> dict[str, object]:
        return {**dataclasses.asdict(self), "hub_token": "<HUB_TOKEN>"}


class HasArguments(BaseModel):
    arguments: Arguments
    more: Any = None


TOKEN = f"hf_{TEXT}"


@pytest.mark.parametrize("allow_secrets", [False, True])
@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (Arguments(TOKEN), None),
        (Arguments(TOKEN), Arguments),
        (Arguments(TOKEN).to_dict(), None),
        ({"a": [Arguments(TOKEN)]}, None),
        (Fields(Arguments(TOKEN)), None),
        (Fields(Arguments(TOKEN)), Fields),
        (Fields({"a": (Arguments(TOKEN),)}), Fields),
        (HasArguments(arguments=Arguments(TOKEN), more=[Arguments(TOKEN)]), None),
        (HasArguments(arguments=Arguments(TOKEN), more=[Arguments(TOKEN)]), HasArguments),
        (Holder(inner=Arguments(TOKEN)), Holder),
        (Holder(inner=LikeArguments(TOKEN)), None),
        (Holder(inner=LikeArguments(TOKEN)), Holder),
        (LikeArguments(TOKEN), None),
        (Arguments("plain words"), Arguments),
    ],
)
def test_what_an_object_does_not_tell_is_null(value: Any, type_: Any, allow_secrets: bool) -> None:
    plain = written(value, type_, allow_secrets=allow_secrets)

    assert "'hub_token': None" in str(plain)
    assert "'seed': 1" in str(plain)
    assert TEXT not in str(plain)
    assert "HUB_TOKEN>" not in str(plain)


class Masked(BaseModel):
    password: SecretStr | None = None
    key: SecretBytes | None = None
    pin: Secret[int] | None = None


@pytest.mark.parametrize("type_", [None, Masked])
def test_what_pydantic_masks_is_null(type_: Any) -> None:
    masked = Masked(password=SecretStr("a"), key=SecretBytes(b"b"), pin=Secret(3))

    assert written(masked, type_) == {"password": None, "key": None, "pin": None}


MASKS: list[Owner] = [
    lambda secret: {"a": secret},
    lambda secret: {"a": [secret]},
    lambda secret: Fields(secret),
    lambda secret: Holder(inner=[secret]),
    lambda secret: {"password": Masked(password=secret).model_dump(mode="json")["password"]},
]


@pytest.mark.parametrize("owner", MASKS)
def test_what_pydantic_masks_is_null_anywhere(owner: Any) -> None:
    plain = str(written(owner(SecretStr("hunter2"))))

    assert "None" in plain
    assert "hunter2" not in plain
    assert "*" not in plain
