"""Where data lives: the repository in a checkout, `EDGEBENCH_HOME` or the user's data directory elsewhere."""

from __future__ import annotations

import os
from pathlib import Path


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


def leaderboards_dir(track: str, edition: str) -> Path:
    """The folder of one board: `leaderboards/<track>/<edition>/`, one sub-folder per submission."""
    return home() / "leaderboards" / track / edition
