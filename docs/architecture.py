"""The picture of docs/architecture.md: the stages data passes through and what each imports, read from the sources.

    python docs/architecture.py docs/images/architecture.svg

`tests/docs/test_architecture.py` holds every import to what `STAGES` allows, and the picture to the sources.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from edgebench.atomic import write_text

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = ("edgebench", "builders", "reference_agents")
Imports = dict[str, set[str]]
"""What each module of the project imports of the project when it is loaded."""


@dataclass(frozen=True)
class Stage:
    """A stage of the one way that data goes.

    Attributes:
        name: What the picture calls it.
        gives: What it hands on.
        modules: Patterns of its modules; a module belongs to the stage with the longest pattern that fits. What no
            other fits belongs to the last stage, which nobody may import.
        uses: The stages whose modules it may import.
    """

    name: str
    gives: str
    modules: tuple[str, ...]
    uses: tuple[str, ...] = ()


_CORE: Final = ("contract", "region", "simulator")
_SHOWN: Final = (*_CORE, "environments")
_PLAYED: Final = (*_SHOWN, "harness")
STAGES: Final = (
    Stage(
        "contract",
        "names, units, schemas, records of tracks and regions",
        (
            "edgebench",
            *("edgebench.atomic", "edgebench.constants", "edgebench.crew", "edgebench.errors", "edgebench.foreign"),
            *(
                "edgebench.locks",
                "edgebench.paths",
                "edgebench.ray_crew",
                "edgebench.registration",
                "edgebench.registry",
            ),
            *("edgebench.schema", "edgebench.scratch", "edgebench.spec*", "edgebench.track", "edgebench.tracks"),
            "edgebench.tracks.*.track",
        ),
    ),
    Stage("builders", "Parquet in processed/", ("builders*", "edgebench.compat*"), _CORE),
    Stage(
        "region",
        "tables for people, arrays for the simulator",
        ("edgebench.archive", "edgebench.card", "edgebench.compare", "edgebench.croissant", "edgebench.region"),
        ("contract",),
    ),
    Stage("simulator", "what happens, compiled", ("edgebench.sim*",), ("contract",)),
    Stage(
        "environments",
        "observations and rewards",
        ("edgebench.envs*", "edgebench.pinning", "edgebench.tracks.*", "edgebench.show.style", "edgebench.show.truth"),
        _CORE,
    ),
    Stage("harness", "episodes and their figures", ("edgebench.harness*", "edgebench.tracks.*.gate"), _SHOWN),
    Stage(
        "learning",
        "checkpoints",
        (
            "edgebench.learning*",
            *(f"edgebench.tracks.*.{part}" for part in ("world", "team_world", "look")),
        ),
        _PLAYED,
    ),
    Stage("reference agents", "rows to compare with", ("reference_agents*",), (*_PLAYED, "learning")),
    Stage("leaderboard", "ranked tables, the ledger", ("edgebench.leaderboard*",), (*_CORE, "harness")),
    Stage(
        "faces",
        "what people see",
        ("edgebench.cli*", "edgebench.reproduce*", "edgebench.show*", "edgebench.site*", "edgebench.*"),
        (*_PLAYED, "learning", "leaderboard"),
    ),
)


def stage_of(module: str) -> Stage:
    """The stage of a module of the project."""
    fitting = [(len(pattern), place) for place, stage in enumerate(STAGES) for pattern in stage.modules
               if fnmatchcase(module, pattern)]  # fmt: skip
    return STAGES[max(fitting)[1]]


def read_imports(*, deferred: bool = False) -> Imports:
    """Who imports whom when it is loaded; with `deferred`, within functions too. What only types need is left out."""
    trees = _trees()
    imports: Imports = {}
    for module, tree in trees.items():
        found = {name if name in trees else name.rpartition(".")[0] for name in _imported(tree, deferred)}
        imports[module] = found & trees.keys() - {module}
    return imports


@cache
def _trees() -> dict[str, ast.Module]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {_module(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(node: ast.AST, deferred: bool) -> Iterator[str]:
    """Modules that are imported, and `module.name` of names that are: it may be a module of a package."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        types_only = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not types_only and (deferred or not isinstance(child, ast.FunctionDef)):
            yield from _imported(child, deferred)


def forbidden(imports: Imports) -> list[str]:
    """The imports that `STAGES` does not allow, as `module imports module`."""
    return [
        f"{module} ({stage.name}) imports {other} ({stage_of(other).name})"
        for module, others in sorted(imports.items())
        for stage in [stage_of(module)]
        for other in sorted(others)
        if stage_of(other).name not in (stage.name, *stage.uses)
    ]


WIDTH, ROW, GAP = 900, 64, 30
_STYLE: Final = "font-family:system-ui,sans-serif;fill:#22303c"


def picture(imports: Imports) -> str:
    """The stages from top to bottom as SVG: the modules of each, and of which stages they import."""
    height = len(STAGES) * (ROW + GAP) - GAP + 20
    rows = [_row(place, stage, imports) for place, stage in enumerate(STAGES)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fcfcfa"/>', *rows, "</svg>\n",
    ])  # fmt: skip


def _row(place: int, stage: Stage, imports: Imports) -> str:
    top = 10 + place * (ROW + GAP)
    used = {stage_of(other).name for module in imports if stage_of(module) == stage for other in imports[module]}
    uses = ", ".join(other.name for other in STAGES if other.name in used - {stage.name})
    modules = ", ".join(_called(pattern) for pattern in stage.modules)
    lines = [
        f'<rect x="10" y="{top}" width="{WIDTH - 20}" height="{ROW}" rx="8" fill="#ffffff" stroke="#2a8aa3"/>',
        _text(26, top + 26, stage.name, "font-size:17px;font-weight:600"),
        _text(26, top + 48, modules, "font-size:12px"),
        _text(WIDTH - 26, top + 26, f"imports {uses or 'nothing'}", "font-size:12px;text-anchor:end"),
    ]
    if place < len(STAGES) - 1:
        lines.append(_text(WIDTH / 2, top + ROW + 20, f"↓ {stage.gives}", "font-size:12px;text-anchor:middle"))
    return "\n".join(lines)


def _called(pattern: str) -> str:
    return pattern.removeprefix("edgebench.").removesuffix("*").removesuffix(".") or "all others"


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" style="{_STYLE};{style}">{escape(text)}</text>'


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), picture(read_imports()))
