"""Reading what others wrote: a JSON object of sane size and depth, or a ValueError that says what it is not."""

from __future__ import annotations

import json
from typing import Any, Final

MAX_DIGITS: Final = 18
MAX_DEPTH: Final = 20


def json_object(text: str) -> dict[str, Any]:
    """The JSON object that `text` is.

    Raises:
        ValueError: It is no JSON, no object, deeper than `MAX_DEPTH`, or holds a whole number of more than
            `MAX_DIGITS` digits or one that is not finite.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_whole_number)
    except RecursionError as error:
        raise ValueError(f"no JSON of at most {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from error
    if not isinstance(value, dict) or _is_deep(value):
        raise ValueError(f"no JSON object of at most {MAX_DEPTH} levels")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _whole_number(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = [list(item.values()) if isinstance(item, dict) else item for item in level]
        level = [child for items in inner if isinstance(items, list) for child in items]
    return bool(level)
