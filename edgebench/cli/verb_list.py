"""`edgebench list`: what exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import click

from edgebench.cli.common import json_option, print_json, stdout, table, verb
from edgebench.cli.values import Known


@verb("edgebench list regions")
@click.argument("kind", type=Known("kind", lambda: _LISTS), required=False)
@json_option
def command(kind: str | None, as_json: bool) -> None:
    """Name the regions, tracks, scenarios, splits, reference agents and learning methods; KIND narrows it to one."""
    listed = {name: entries() for name, entries in _LISTS.items() if kind in (None, name)}
    if as_json:
        print_json(listed)
        return
    console = stdout()
    for name, rows in listed.items():
        columns = list(rows[0]) if rows else ["name"]
        console.print(table(name, columns, ([_cell(row, key) for key in columns] for row in rows), texts=len(columns)))


def _cell(row: dict[str, object], key: str) -> str:
    """A line each for names of environments: they are long, and would be broken at 80 columns."""
    return str(row[key]).replace(", ", "\n") if key == "environment" else str(row[key])


def _regions() -> list[dict[str, object]]:
    from edgebench.paths import home
    from edgebench.registry import REGISTERED, TRACKS, own_manifest, own_regions

    def row(name: str, place: str, nodes: object, ids: list[str]) -> dict[str, object]:
        built = sorted(path.parent.parent.name for path in (home() / "processed").glob(f"*/{name}/manifest.json"))
        return {
            "name": name, "place": place, "nodes": nodes,
            "environment": ", ".join(ids), "editions built": ", ".join(built) or "none",
        }  # fmt: skip

    rows = [
        row(spec.name, spec.title, spec.nodes, [track.env_id(spec.name) for track in TRACKS.values()])
        for spec in REGISTERED.values()
    ]
    for name, editions in own_regions().items():
        manifest = own_manifest(name, editions[0])
        nodes = manifest["spec"].get("nodes", "")
        rows.append(row(name, manifest["title"], nodes, [track.any_env_id for track in TRACKS.values()]))
    return rows


def _tracks() -> list[dict[str, object]]:
    from edgebench.registry import TRACKS

    return [{"name": track.name, "question": track.question, "metric": track.metric} for track in TRACKS.values()]


def _scenarios() -> list[dict[str, object]]:
    from edgebench.registry import SCENARIOS

    return [{"name": scenario.name, "meaning": scenario.meaning} for scenario in SCENARIOS.values()]


def _splits() -> list[dict[str, object]]:
    from edgebench.constants import SPLIT_TASKS

    return [{"name": name, "tasks": tasks} for name, tasks in SPLIT_TASKS.items()]


def _agents() -> list[dict[str, object]]:
    from edgebench.harness.agents import reference_agents
    from edgebench.registry import TRACKS

    return [
        {"name": name, "track": track.name, "file": f"reference_agents/{path.parent.name}/{path.name}"}
        for track in TRACKS.values()
        for name, path in reference_agents(track.agents).items()
    ]


def _methods() -> list[dict[str, object]]:
    import ast

    from edgebench.learning.methods import method_files

    return [
        {"name": name, "what it is": _first_line(ast.get_docstring(ast.parse(path.read_bytes())) or "")}
        for name, path in method_files().items()
    ]


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


_LISTS: Final[dict[str, Callable[[], list[dict[str, object]]]]] = {
    "regions": _regions,
    "tracks": _tracks,
    "scenarios": _scenarios,
    "splits": _splits,
    "agents": _agents,
    "methods": _methods,
}
