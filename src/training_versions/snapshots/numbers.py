"""Numbers of NumPy, PyTorch and JAX as the plain numbers they are.

These libraries are never imported here. What they have in common is that a single number, be it a
scalar or an array without dimensions, has the shape `()` and an `item()` that returns it. It is
taken as its exact value, as `item()` and `float()` take it: `np.float32(0.1)` is
0.10000000149011612. Only money is taken by the shortest decimal that stands for the number, since
that is the amount that was meant.
"""

import struct
from typing import Any, Final, cast

# How Python packs a floating-point number of so many bytes.
_FORMATS: Final = {2: "e", 4: "f"}
# Of NumPy's types: booleans, integers of both kinds, floating-point numbers, and what others add to
# it, such as bfloat16. Moments, which `item()` may return as plain integers, are none.
_KINDS_OF_NUMBERS: Final = "biufV"


def plain_number(value: object) -> object:
    """Return a single number of NumPy or the like as Python's; anything else as it is."""
    held: Any = value
    if isinstance(value, type) or getattr(held, "shape", None) != ():
        return value
    kind = getattr(getattr(held, "dtype", None), "kind", "f")
    item = getattr(held, "item", None)
    if not callable(item) or kind not in _KINDS_OF_NUMBERS:
        return value
    number: object = item()
    if isinstance(number, bool | int | float):
        return number
    # The longest float of NumPy is its own `item()`.
    if hasattr(type(number), "__float__") and hasattr(number, "dtype") and kind == "f":
        return float(cast("float", number))
    return value


def shortest_decimal(value: object) -> object:
    """Return a floating-point number as the shortest decimal text that stands for it.

    In the precision that it has: `np.float32(12.3)` is "12.3", though its exact value is
    12.300000190734863. Anything else is returned as it is.
    """
    number = plain_number(value)
    if not isinstance(number, float):
        return number
    size = getattr(getattr(value, "dtype", None), "itemsize", 8)
    packing = _FORMATS.get(size)
    if packing is not None:
        exact = struct.pack(packing, number)
        for digits in range(1, 10):
            text = f"{number:.{digits}g}"
            if struct.pack(packing, float(text)) == exact:
                return text
    return float.__repr__(number)
