"""Where data lives: the repository in a checkout, `EDGEBENCH_HOME` or the user's data directory elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

_FOLDER: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_DEVICE: Final = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")
"""Names Windows keeps for devices; a folder cannot bear them."""


def is_folder_name(name: str) -> bool:
    """Whether `name` is one plain folder on every system: a-z, 0-9, hyphens, underscores; 64 at most."""
    return bool(_FOLDER.fullmatch(name)) and not _DEVICE.fullmatch(name)


def home() -> Path:
    """The folder that holds `raw/`, `processed/` and `leaderboards/`.

    `EDGEBENCH_HOME` when set; else the repository root when the package runs from a checkout;
    else the platform's user data directory.
    """
    configured = os.environ.get("EDGEBENCH_HOME")
    if configured:
        return Path(configured).expanduser().resolve()
    root = Path(__file__).resolve().parent.parent
    if (root / "pyproject.toml").is_file() and (root / "builders").is_dir():
        return root
    import platformdirs

    return Path(platformdirs.user_data_dir("edgebench", appauthor=False))


def raw_dir() -> Path:
    """The folder of cell files as they came: `raw/`."""
    return home() / "raw"


def processed_dir(region: str, edition: str) -> Path:
    """The folder of one built region: `processed/<edition>/<region>/`."""
    return home() / "processed" / edition / region


def boards_dir() -> Path:
    """The folder of all boards and of their ledger: `leaderboards/`."""
    return home() / "leaderboards"


def leaderboards_dir(track: str, edition: str) -> Path:
    """The folder of one board, `leaderboards/<track>/<edition>/`: an entry is `<scenario>/<name>/` within it."""
    return boards_dir() / track / edition
