"""The contents of the versions: configs, models and data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from training_versions import JsonObject

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
ALL_LINEAR = (*ATTENTION, "gate_proj", "up_proj", "down_proj")

MISTRAL: JsonObject = {
    "id": "mistralai/Mistral-7B-Instruct-v0.3",
    "revision": "main",
    "torch_dtype": "bfloat16",
    "attn_implementation": "sdpa",
}
LLAMA: JsonObject = {
    "id": "meta-llama/Llama-3.1-8B-Instruct",
    "revision": "main",
    "torch_dtype": "bfloat16",
    "attn_implementation": "flash_attention_2",
}
QWEN: JsonObject = {
    "id": "Qwen/Qwen2.5-3B-Instruct",
    "revision": "main",
    "torch_dtype": "bfloat16",
    "attn_implementation": "sdpa",
}

# Settings that fit a graphics card with 24 GB, but take longer.
SMALL_BATCHES: dict[str, object] = {
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 8,
    "gradient_checkpointing": True,
}
MEDIUM_BATCHES: dict[str, object] = {
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 4,
    "gradient_checkpointing": True,
}
# Noise on the embeddings, against overfitting.
NOISY: dict[str, object] = {"neftune_noise_alpha": 5}


def lora(
    r: int,
    learning_rate: float,
    *,
    alpha: int | None = None,
    modules: Sequence[str] = ATTENTION,
    dropout: float = 0.05,
    rank_stabilized: bool = False,
    training: Mapping[str, object] = MappingProxyType({}),
) -> dict[str, object]:
    """Return a config with the adapter and its training.

    Args:
        r: The rank of the adapter.
        learning_rate: The highest learning rate.
        alpha: The scale of the adapter, by default twice the rank.
        modules: The modules that the adapter is applied to.
        dropout: The dropout of the adapter.
        rank_stabilized: Whether the adapter is scaled by the square root of the rank.
        training: Settings that differ from the usual training.
    """
    adapter: dict[str, object] = {
        "r": r,
        "lora_alpha": 2 * r if alpha is None else alpha,
        "lora_dropout": dropout,
        "use_rslora": rank_stabilized,
        "target_modules": [*modules],
        "bias": "none",
        "task_type": "CAUSAL_LM",
    }
    usual: dict[str, object] = {
        "num_train_epochs": 3,
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 2,
        "learning_rate": learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.08,
        "bf16": True,
        "seed": 42,
    }
    return {"lora": adapter, "training": {**usual, **training}, "max_seq_length": 2048}


def data(name: str, rows: int, *, split: str = "train", **more: object) -> JsonObject:
    """Return a reference to a data set."""
    reference: JsonObject = {"datasetId": name, "split": split, "rows": rows}
    for key, value in more.items():
        reference[key] = value  # pyright: ignore[reportArgumentType]
    return reference


FAQ = data("acme/support-faq", 1840, revision="v4", format="chat")
CHATS = data("acme/support-chats", 12650, revision="q2", format="chat")
CLEAN_CHATS = data("acme/support-chats", 9412, revision="q3", format="chat", deduplicated=True)
HELD_OUT = data("acme/support-eval", 400, split="validation", format="chat")
CALLS = data("acme/sales-calls", 5230, revision="v6", format="chat", weight=0.7)
PRICES = data("acme/price-list", 610, revision="v31", format="instruction")
SALES_HELD_OUT = data("acme/sales-eval", 250, split="validation", format="chat")
TONE = data("acme/tone-pairs", 980, revision="v2", format="preference", weight=0.3)
MINUTES = data("grace/meeting-minutes", 730, revision="main", format="instruction")
