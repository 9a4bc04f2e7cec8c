"""Where each page lies within the site; names are safe as files on every system."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from edgebench.paths import home

INDEX: Final = "index.html"
LEDGER: Final = "ledger.html"
STATIC: Final = "static"
_UNSAFE: Final = re.compile(r"[^a-z0-9]+")


def board_page(slug: str) -> str:
    """The page of a board."""
    return f"board/{slug}.html"


def board_csv(slug: str) -> str:
    """The table of a board to download."""
    return f"board/{slug}.csv"


def compare_page(slug: str) -> str:
    """The page on which two agents of a board are compared."""
    return f"compare/{slug}.html"


def agent_page(track: str, edition: str, name: str) -> str:
    """The page of an agent: an entry's name on the boards of a track and edition."""
    return f"agent/{track}_{edition}_{name}.html"


def run_page(folder: Path) -> str:
    """The page of a run of the data folder, whatever its folder is called."""
    place = folder.relative_to(home()).as_posix() if folder.is_relative_to(home()) else folder.as_posix()
    plain = _UNSAFE.sub("-", folder.name.lower()).strip("-")[:40]
    return f"run/{plain}_{hashlib.sha256(place.encode(errors='replace')).hexdigest()[:8]}.html"


def region_page(edition: str, name: str) -> str:
    """The page of a region."""
    return f"region/{edition}_{name}.html"


def total_page(edition: str) -> str:
    """The page of an edition's total board."""
    return f"total/{edition}.html"


def cross_domain_page(edition: str) -> str:
    """The page of an edition's cross-domain boards."""
    return f"cross-domain/{edition}.html"


def root_of(page: str) -> str:
    """The way from a page to the site's root."""
    return "../" * page.count("/")
