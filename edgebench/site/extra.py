"""The libraries of the extra `site`, or how to install them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

from edgebench.errors import EdgeBenchError

LIBRARIES: Final = ("jinja2", "markdown_it", "plotly")
"""What pages are made with; plotly only for maps."""


def need_libraries(what: str, libraries: tuple[str, ...] = LIBRARIES) -> None:
    """Raise EdgeBenchError, with the command that helps, where a library `what` needs is not installed."""
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        raise EdgeBenchError(f"{what} needs {', '.join(missing)}", mend="pip install 'edgebench[site]'")


def plotly_script() -> Path:
    """The file plotly.min.js of the installed plotly package."""
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
