"""Foreign text made harmless before it is written: no formula, no markup, no control character takes effect."""

from __future__ import annotations

from typing import Any, Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the begin of a formula, the wide forms of East Asian keyboards included."""
_MARKUP: Final = str.maketrans({mark: f"&#{ord(mark)};" for mark in "&<>\"'|`*_~[]()\\!#{}"})


def visible(text: str, keep: str = "") -> str:
    """Text with every character that does not print (controls, marks that turn the direction) as its escape.

    Args:
        text: Anything.
        keep: Characters that are left as they are: ends of lines where there may be several.
    """
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() or mark in keep else mark.encode("unicode_escape").decode() for mark in text
    )


def is_plain(text: str) -> bool:
    """Whether text has no character that does not print and could begin no formula."""
    return text.isprintable() and not text.lstrip().startswith(_FORMULA)


def inert_cell(value: Any) -> Any:
    """A CSV cell that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    begins = value.startswith(_FORMULA) or value.lstrip().startswith(_FORMULA)
    return f"'{visible(value)}" if begins else visible(value)


def inert_markdown(text: str) -> str:
    """Text that Markdown and HTML show as it is, on one line."""
    return visible(" ".join(text.split())).translate(_MARKUP)
