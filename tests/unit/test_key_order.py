"""Objects whose keys mean something by their order, which the database does not keep."""

from typing import Any

import pytest
from pydantic import BaseModel

from training_versions import InvalidInputError
from training_versions.snapshots import Codec

SPECIFIC_FIRST = {"layers.0.self_attn.q_proj": 16, "q_proj": 8}


class Lora(BaseModel):
    rank_pattern: dict[str, int] = {}


def written(value: object, type_: Any = None) -> Any:
    return Codec[Any]("config", "config_snapshot", type_).write(value)


@pytest.mark.parametrize(
    ("value", "type_", "place"),
    [
        ({"rank_pattern": SPECIFIC_FIRST}, None, "config.rank_pattern"),
        ({"peft": [{"alpha_pattern": SPECIFIC_FIRST}]}, None, "config.peft[0].alpha_pattern"),
        (Lora(rank_pattern=SPECIFIC_FIRST), None, "config.rank_pattern"),
        (Lora(rank_pattern=SPECIFIC_FIRST), Lora, "config.rank_pattern"),
        ({"rank_pattern": {"^model.*": 1, "q_proj": 2, r"\d": 3}}, None, "config.rank_pattern"),
        ({"key_mapping": {"^visual": "a", "^b": "c"}}, None, "config.key_mapping"),
        ({"adapters": {"bb": "1", "a": "2"}, "peft_type": "XLORA"}, None, "config.adapters"),
        (
            {"rank_pattern": {"q_proj": 1, "mlp": 2}, "peft_type": "OSF"},
            None,
            "config.rank_pattern",
        ),
        ({"fqn_to_config": {"re:.*q_proj": 1, "re:.*": 2}}, None, "config.fqn_to_config"),
    ],
)
def test_an_order_that_decides_and_would_be_lost_is_refused(
    value: object, type_: Any, place: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        written(value, type_)

    assert caught.value.message.startswith(f"{place} depends on the order of its keys")
    assert "list of pairs" in str(caught.value.hint)


@pytest.mark.parametrize(
    "value",
    [
        {"rank_pattern": {"q_proj": 8, "layers.0.self_attn.q_proj": 16}},
        {"rank_pattern": {"layers.10.q_proj": 8, "layers.1.q_proj": 4, "k_proj": 2}},
        {"rank_pattern": [["layers.0.self_attn.q_proj", 16], ["q_proj", 8]]},
        {"rank_pattern": {}},
        {"rank_pattern": None},
        {"key_mapping": {"^b": "c", "^visual": "a"}},
        {"adapters": {"bb": "1", "a": "2"}},
        {"fqn_to_config": {"re:.*q_proj": 1, "_default": 2}},
        {"learning_rates": SPECIFIC_FIRST},
    ],
)
def test_an_order_that_is_kept_or_means_nothing_is_stored(value: Any) -> None:
    assert written(value) == value
