"""The learning methods there are: one a file in `reference_agents/learned`."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgebench.errors import unknown_name
from edgebench.harness.agents import require_torch

if TYPE_CHECKING:
    from edgebench.learning.method import Method

PACKAGE: Final = "reference_agents.learned"


def method_files() -> dict[str, Path]:
    """Names of the methods and their files, sorted."""
    found = importlib.util.find_spec(PACKAGE)
    folders = (found.submodule_search_locations or []) if found else []
    files = sorted(path for folder in folders for path in Path(folder).glob("[!_]*.py"))
    return {path.stem.replace("_", "-"): path for path in files}


def find_method(name: str) -> type[Method]:
    """The class of a method.

    Raises:
        EdgeBenchError: No method bears the name, or torch is not installed.
    """
    known = method_files()
    if name not in known:
        raise unknown_name("method", name, known)
    require_torch()
    found: type[Method] = importlib.import_module(f"{PACKAGE}.{known[name].stem}").METHOD
    return found
