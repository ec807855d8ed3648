"""Every config that Transformers, PEFT and TRL make: stored as its own JSON, and read back."""

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import omegaconf
import peft
import pytest
import transformers
import trl
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from training_versions import InvalidInputError
from training_versions.snapshots import Codec, json_equal, to_json

TOKEN = "hf_" + "a1B2c3D4" * 4
# Configs that their libraries make only with arguments.
PEFT_ARGUMENTS: dict[str, dict[str, Any]] = {
    "ADALORA": {"total_step": 100},
    "CPT": {"task_type": "CAUSAL_LM"},
}
# What it takes to make the arguments of a trainer on a machine like any other.
ON_A_CPU: dict[str, Any] = {"use_cpu": True, "bf16": False}


def stored(value: object, type_: Any = None) -> Any:
    """Write a config as a repository does."""
    return Codec[Any]("config", "config_snapshot", type_).write(value)


def made(kind: Any, **arguments: Any) -> Any:
    """Make a config, or skip the test where its library cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return kind(**arguments)
        except Exception as exc:
            pytest.skip(f"the library itself cannot make it: {exc!s:.100}")


@pytest.mark.parametrize("name", sorted(CONFIG_MAPPING))
def test_every_model_config_is_stored_as_its_own_json(name: str) -> None:
    config = made(CONFIG_MAPPING[name])

    plain = stored(config)

    assert json_equal(plain, json.loads(config.to_json_string(use_diff=False)))


@pytest.mark.parametrize("name", ["bert", "llama", "mistral", "qwen2", "mamba2", "t5", "vit"])
def test_a_model_config_is_read_back_equal(name: str, tmp_path: Path) -> None:
    config = CONFIG_MAPPING[name](id2label={0: "NEGATIVE", 1: "POSITIVE"})

    (tmp_path / "config.json").write_text(json.dumps(stored(config)))

    again = type(config).from_pretrained(tmp_path)
    assert again.to_dict() == config.to_dict()
    assert again.id2label == {0: "NEGATIVE", 1: "POSITIVE"}


@pytest.mark.parametrize("kind", sorted(PEFT_TYPE_TO_CONFIG_MAPPING))
def test_every_peft_config_is_stored_and_read_back(kind: Any, tmp_path: Path) -> None:
    config_type = PEFT_TYPE_TO_CONFIG_MAPPING[kind]
    config = made(config_type, **PEFT_ARGUMENTS.get(kind.value, {}))

    (tmp_path / "adapter_config.json").write_text(json.dumps(stored(config)))

    assert config_type.from_pretrained(tmp_path).to_dict() == config.to_dict()


def test_a_typed_repository_reads_a_lora_config_back() -> None:
    config = peft.LoraConfig(
        r=16,
        target_modules={"v_proj", "q_proj"},
        rank_pattern={"k_proj": 8},
        task_type=peft.TaskType.CAUSAL_LM,
    )
    codec = Codec("config", "config_snapshot", peft.LoraConfig)

    plain: Any = codec.write(config)

    assert plain["target_modules"] == ["q_proj", "v_proj"]
    assert codec.read(plain) == config


def test_a_rank_pattern_whose_order_decides_is_refused() -> None:
    config = peft.LoraConfig(rank_pattern={"layers.0.self_attn.q_proj": 16, "q_proj": 8})

    for type_ in (None, peft.LoraConfig):
        with pytest.raises(InvalidInputError, match=r"^config\.rank_pattern depends on the order"):
            stored(config, type_)


ARGUMENTS = [
    transformers.TrainingArguments,
    transformers.Seq2SeqTrainingArguments,
    *(getattr(trl, name) for name in dir(trl) if name.endswith("Config")),
]


@pytest.mark.parametrize("kind", ARGUMENTS, ids=lambda kind: kind.__name__)
def test_every_set_of_arguments_is_stored(kind: Any, tmp_path: Path) -> None:
    fields = {each.name for each in dataclasses.fields(kind)}
    arguments = made(kind, output_dir=tmp_path, **ON_A_CPU) if "output_dir" in fields else kind()

    plain = stored(arguments)

    if hasattr(arguments, "to_dict"):
        assert plain == stored(arguments.to_dict())
    assert plain.get("hub_token") is None


@pytest.mark.parametrize(
    "owner",
    [
        lambda arguments: arguments,
        lambda arguments: arguments.to_dict(),
        lambda arguments: {"nested": [arguments]},
    ],
)
def test_the_token_of_training_arguments_is_never_stored(owner: Any, tmp_path: Path) -> None:
    arguments = transformers.TrainingArguments(str(tmp_path), hub_token=TOKEN, **ON_A_CPU)

    plain = str(stored(owner(arguments)))

    assert "'hub_token': None" in plain
    assert TOKEN not in plain


def test_a_typed_repository_of_training_arguments_stores_no_token(tmp_path: Path) -> None:
    arguments = transformers.TrainingArguments(str(tmp_path), hub_token=TOKEN, **ON_A_CPU)
    codec = Codec("config", "config_snapshot", transformers.TrainingArguments)

    plain: Any = codec.write(arguments)

    assert plain["hub_token"] is None
    assert TOKEN not in str(plain)
    assert codec.read(plain).learning_rate == arguments.learning_rate


@pytest.mark.parametrize(
    "config",
    [
        transformers.GenerationConfig(max_new_tokens=20),
        transformers.BitsAndBytesConfig(load_in_4bit=True),
        transformers.GPTQConfig(bits=4),
    ],
    ids=lambda config: type(config).__name__,
)
def test_other_configs_of_transformers_are_stored(config: Any) -> None:
    assert stored(config)


def test_configs_of_omegaconf_are_stored_with_what_they_refer_to() -> None:
    config = omegaconf.OmegaConf.create({"lr": 1e-4, "again": "${lr}", "betas": [0.9, 0.99]})

    assert stored(config) == {"lr": 1e-4, "again": 1e-4, "betas": [0.9, 0.99]}
    for missing in ({"a": "???"}, {"a": "${nothing}"}):
        with pytest.raises(InvalidInputError, match="cannot be written as JSON"):
            to_json({"omega": omegaconf.OmegaConf.create(missing)}, "config")
