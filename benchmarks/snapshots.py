"""The three snapshots that a benchmark stores: a fine-tuning config, a base model, data sets."""

import json
from dataclasses import dataclass
from typing import Any

SMALL = 8_000
LARGE = 1_000_000


@dataclass(frozen=True)
class Snapshots:
    """What one version holds."""

    config: dict[str, Any]
    model: dict[str, Any]
    dataset: list[dict[str, Any]]

    @property
    def columns(self) -> dict[str, Any]:
        """The snapshots by their columns."""
        return {
            "config_snapshot": self.config,
            "model_snapshot": self.model,
            "dataset_snapshot": self.dataset,
        }


def make_snapshots(size: int, edition: int = 0) -> Snapshots:
    """Make snapshots of about `size` bytes of JSON; two editions differ in the learning rate.

    Most of the bytes are the arguments of training and the entries of data sets, as they are in
    real packages.
    """
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.05,
        "target_modules": ["k_proj", "o_proj", "q_proj", "v_proj"],
        "learning_rate": 2e-4 + edition * 1e-9,
        "training": {f"argument_{n:02}": _argument(n) for n in range(100)},
    }
    model = {"repo": "mistralai/Mistral-7B-v0.3", "revision": "main", "dtype": "bfloat16"}
    written = len(json.dumps(config)) + len(json.dumps(model))
    entry_size = len(json.dumps(_dataset_entry(0)))
    entries = max(1, (size - written) // entry_size)
    return Snapshots(config, model, [_dataset_entry(n) for n in range(entries)])


def _argument(number: int) -> object:
    """Return a number, a flag, a text or nothing, as training arguments are."""
    return (number * 0.5, number, number % 2 == 0, f"value of argument {number}", None)[number % 5]


def _dataset_entry(number: int) -> dict[str, Any]:
    return {
        "datasetId": f"tickets-{number:06}",
        "split": "train",
        "weight": 1.0,
        "rows": 1000 + number,
        "columns": {"prompt": "question", "completion": "answer"},
        "note": "Lorem ipsum dolor sit amet",
    }
