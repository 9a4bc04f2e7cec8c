"""The site is read without a network: a page that would load anything from elsewhere ends the build."""

from __future__ import annotations

import re
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

_LOADED: Final = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=.?(?:https?:)?//[^>]*>"
    r"|<link\b(?![^>]*\bcanonical\b)[^>]*\bhref=.?(?:https?:)?//[^>]*>"
)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    """Refuse the page.

    Raises:
        PluginError: It names a script, style sheet, picture or font of another host.
    """
    found = _LOADED.search(output)
    if found:
        raise PluginError(f"{page.file.src_uri} loads from elsewhere: {found[0]}")
