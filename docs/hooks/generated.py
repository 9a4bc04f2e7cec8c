"""Pages made of the package itself: a card for every region, the agents and methods there are, the API."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from builders.pipeline import build_region
from edgebench.card import CARD
from edgebench.harness.agents import reference_agents
from edgebench.learning.methods import method_files
from edgebench.registry import REGISTERED, TRACKS

ROOT: Final = Path(__file__).resolve().parents[2]
RESULTS: Final = ROOT / "docs" / "results"
"""A page for every published table, as `edgebench reproduce` writes it."""
PACKAGES: Final = (
    "edgebench",
    "edgebench.envs",
    "edgebench.sim",
    "edgebench.harness",
    "edgebench.learning",
    "edgebench.leaderboard",
    "builders",
    "builders.importers",
)
"""What others import or extend; the tracks and the verbs have pages of their own."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages whose number the registry or a folder knows into their sections of the navigation."""
    sections = {title: pages for entry in config.nav or () for title, pages in entry.items()}
    sections["Regions"] += [{name: f"regions/{name}.md"} for name in REGISTERED]
    sections["Agents and learning"] += sorted(f"results/{path.name}" for path in RESULTS.glob("*.md"))
    sections["Reference"] += [{package: f"api/{package}.md"} for package in PACKAGES]
    return config


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages."""
    pages = {f"regions/{name}.md": card for name, card in _cards().items()}
    pages |= {f"api/{package}.md": _api_page(package) for package in PACKAGES}
    pages["agents.md"] = "\n\n".join(_agents())
    for uri, text in pages.items():
        files.append(File.generated(config, uri, content=text))


@cache
def _cards() -> dict[str, str]:
    """The card of every registered region, of the bundled sample; built once, however often the site is."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            name: (build_region(spec, target=Path(folder, name)) / CARD).read_text(encoding="utf-8")
            for name, spec in REGISTERED.items()
        }


def _api_page(package: str) -> str:
    """What mkdocstrings is to show of a package: its own docstring, then its modules."""
    folder = ROOT.joinpath(*package.split("."))
    modules = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    shown = "\n\n".join(f"::: {package}.{module}" for module in modules)
    return f"# {package}\n\n::: {package}\n    options:\n      show_root_heading: false\n\n{shown}\n"


def _agents() -> Iterator[str]:
    yield "# Reference agents and learning methods"
    yield "`edgebench list agents` and `edgebench list methods` name them; each is one file, shown here by its head."
    for track in TRACKS.values():
        yield f"## {track.name.capitalize()}"
        yield f"{track.question} `edgebench eval NAME --track {track.name}`"
        yield from _modules(reference_agents(track.agents))
    yield "## Learning methods"
    yield "`edgebench train NAME`; [learning.md](learning.md) tells how."
    yield from _modules(method_files())


def _modules(files: dict[str, Path]) -> Iterator[str]:
    for name, path in files.items():
        yield f"### {name}"
        yield ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield f"[{path.name}](../{path.relative_to(ROOT).as_posix()})"
