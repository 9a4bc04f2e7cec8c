"""What is installed: Python, EdgeBench, the packages it needs and those of each extra, in the ranges it states."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from edgebench import __version__
from edgebench.doctor.finding import NOTE, OK, WRONG, Finding

PACKAGE: Final = "edgebench"
EXTRAS: Final = {
    "agents": "learning methods and their checkpoints",
    "plots": "maps, histograms and plots",
    "site": "the boards as a site, reports of runs",
    "croissant": "checking the Croissant description of a region",
    "docs": "the pages as a site",
    "marl": "environments of several agents",
    "offline": "trajectories as Minari datasets",
    "tutorials": "the notebooks in examples/tutorials",
    "ray": "evaluation and training on a cluster",
    "tools": "Stable-Baselines3, TorchRL and RLlib",
    "dev": "tests and checks of EdgeBench itself",
}
"""What each extra of the package is for."""


def examine_installed() -> Iterator[Finding]:
    """Python, EdgeBench, its packages, its extras."""
    try:
        metadata = importlib.metadata.metadata(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        mend = "pip install -c constraints.txt -e . in the checkout"
        yield Finding("installed", PACKAGE, NOTE, f"version {__version__}, run without having been installed", mend)
        return
    yield _python(metadata["Requires-Python"])
    yield Finding("installed", PACKAGE, OK, f"version {__version__}")
    required = [Requirement(text) for text in importlib.metadata.requires(PACKAGE) or ()]
    yield _core([one for one in required if _wanted(one, "")])
    for extra, purpose in EXTRAS.items():
        yield _extra(extra, purpose, [one for one in required if _wanted(one, extra) and not _wanted(one, "")])


def _python(wanted: str) -> Finding:
    fits = platform.python_version() in SpecifierSet(wanted, prereleases=True)
    mend = "" if fits else f"use a Python {wanted}"
    return Finding("installed", "Python", OK if fits else WRONG, platform.python_version(), mend)


def _wanted(requirement: Requirement, extra: str) -> bool:
    """Whether a package is asked for with this extra ("" for none), on this system and Python."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _core(required: list[Requirement]) -> Finding:
    """The packages without which nothing runs."""
    found, lacks = _versions(required), _lacks(required)
    if lacks:
        mend = f'pip install --upgrade "{PACKAGE}"'
        return Finding("installed", "packages", WRONG, f"lacks {', '.join(lacks)}", mend, found)
    said = ", ".join(f"{one.name} {_version(one.name)}" for one in required)
    return Finding("installed", "packages", OK, said, "", found)


def _extra(extra: str, purpose: str, required: list[Requirement]) -> Finding:
    what, lacks = f"extra {extra}", _lacks(required)
    if not lacks:
        return Finding("installed", what, OK, purpose, "", _versions(required))
    mend = f'pip install "{PACKAGE}[{extra}]"'
    return Finding("installed", what, NOTE, f"{purpose}: lacks {', '.join(lacks)}", mend, _versions(required))


def _lacks(required: list[Requirement]) -> list[str]:
    """Those that are missing or out of their range, as one would write them to pip."""
    return [f"{one.name}{one.specifier}" for one in required if not _fits(one, _version(one.name))]


def _versions(required: list[Requirement]) -> dict[str, str]:
    return {f"{one.name}{one.specifier}": _version(one.name) for one in required}


def _version(name: str) -> str:
    """The installed version of a package, "" where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _fits(requirement: Requirement, version: str) -> bool:
    return bool(version) and requirement.specifier.contains(version, prereleases=True)
