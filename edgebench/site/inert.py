"""Strangers' text on our pages: shown as it is, never run, never fetched."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlsplit

from edgebench.leaderboard.inert import visible

_IN_SCRIPT: Final = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "<>&'\u2028\u2029"})


def visible_lines(text: str) -> str:
    """`edgebench.leaderboard.inert.visible` of text that may have several lines."""
    return visible(text, keep="\n\t")


def visible_all(value: Any) -> Any:
    """`visible_lines` for every text, keys too, in lists and dictionaries."""
    if isinstance(value, str):
        return visible_lines(value)
    if isinstance(value, dict):
        return {visible_lines(str(key)): visible_all(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [visible_all(entry) for entry in value]
    return value


def script_json(value: Any) -> str:
    """`value` as JSON that may stand inside a script element; ValueError for a number that is not finite."""
    text = json.dumps(visible_all(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_IN_SCRIPT)


def web_address(value: Any) -> str | None:
    """`value` where it is the address of a web page, http or https, which alone may become a link; else None."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in ("http", "https") and parts.netloc else None
