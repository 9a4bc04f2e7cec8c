"""Markdown, ours or a region's card, as HTML in which nothing runs and nothing is fetched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from edgebench.site.inert import visible_lines, web_address

if TYPE_CHECKING:
    from markupsafe import Markup

_HEAD: Final = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
"""The YAML head of a card."""


def as_html(markdown: str) -> Markup:
    """CommonMark with tables as HTML: tags stand as text, images are left out, links lead to http(s) alone."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "autolink"])
    parser.validateLink = lambda url: web_address(url) is not None  # type: ignore[method-assign]
    html: str = parser.render(visible_lines(_HEAD.sub("", markdown)))
    boxed = html.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace("</table>", "</table></div>")
    return Markup(boxed)
