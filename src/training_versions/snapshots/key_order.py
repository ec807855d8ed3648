"""Objects whose keys mean something by their order, which `jsonb` does not keep.

`jsonb` sorts keys by their length, and those of one length by their bytes. For nearly all objects
that is no loss. But PEFT takes from `rank_pattern` the first pattern that matches a module, so

    {"layers.0.self_attn.q_proj": 16, "q_proj": 8}

gives layer 0 the rank 16, and the other way round the rank 8. What would come back with another
meaning is refused.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Final, cast

# Of PEFT: the first pattern that matches the end of a module's name decides.
_PATTERNS: Final = ("rank_pattern", "alpha_pattern")
# Of Transformers: patterns to replace in the names of weights, one after the other.
_REPLACEMENTS: Final = "key_mapping"
# Of X-LoRA in PEFT: the order of the adapters is that of their weights.
_ADAPTERS: Final = "adapters"
# Of torchao: the first regular expression that matches a module's name decides, "re:" before it.
_MODULES: Final = ("module_fqn_to_config", "fqn_to_config")
ORDERED_KEYS: Final = frozenset({*_PATTERNS, *_MODULES, _REPLACEMENTS, _ADAPTERS})
HINT: Final = (
    "Store it as a list of pairs, list(value.items()), and make a dict of it when you read it; or "
    "word the keys so that their order does not matter."
)
_PLAIN_NAME: Final = r"[\w.]+"


def moved_keys(name: str, value: object, owner: Mapping[str, object]) -> tuple[str, str] | None:
    """Return two keys of an object that `jsonb` swaps, if their order means something.

    Args:
        name: What the object is called in its owner.
        value: The object; anything else has no order of keys.
        owner: What holds it.
    """
    if name not in ORDERED_KEYS or not isinstance(value, Mapping):
        return None
    if name == _ADAPTERS and owner.get("peft_type") != "XLORA":
        return None
    keys: Iterable[str] = cast("Mapping[str, object]", value)
    if name in _MODULES:
        keys = [key for key in keys if key.startswith("re:")]
    # The patterns of OSF match anywhere in a name.
    match_the_end = name in _PATTERNS and owner.get("peft_type") != "OSF"
    for first, second in combinations(keys, 2):
        if _jsonb_order(first) < _jsonb_order(second):
            continue
        if not match_the_end or _may_match_alike(first, second):
            return first, second
    return None


def _jsonb_order(key: str) -> tuple[int, bytes]:
    encoded = key.encode()
    return len(encoded), encoded


def _may_match_alike(first: str, second: str) -> bool:
    """Return whether two patterns may match the end of the same module's name."""
    if not re.fullmatch(_PLAIN_NAME, first) or not re.fullmatch(_PLAIN_NAME, second):
        # Regular expressions, which may match anything.
        return True
    shorter, longer = sorted((first, second), key=len)
    return f".{longer}".endswith(f".{shorter}")
