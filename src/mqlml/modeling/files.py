"""Values ↔ bytes of the bundle's JSON files: same value, same bytes."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def json_bytes(value: Any) -> bytes:
    r"""Return `value` as UTF-8 JSON with sorted keys and exact floats; NaN becomes null.

    >>> json_bytes({"b": 0.1, "a": float("nan")})
    b'{\n "a": null,\n "b": 0.1\n}\n'
    """
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    return (text + "\n").encode()


def json_value(content: bytes) -> Any:
    """Return the value that `json_bytes` wrote."""
    return json.loads(content.decode())


def plain(value: Any) -> Any:
    """Return `value` with numpy's numbers as Python's, tuples as lists, not-a-number as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
