"""The pages of docs/tracks, a page a track: all that its parts say of it, from the registry.

python -m edgebench.track_page docs/tracks
"""

from __future__ import annotations

import ast
import inspect
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edgebench.atomic import write_text
from edgebench.harness.agents import reference_agents
from edgebench.registry import REGIONS, TRACKS
from edgebench.track import Metric, Track, named


def track_page(track: Track) -> str:
    """The page of a track in Markdown: its question, ids, environments, metrics, reference agents and draws."""
    return "\n\n".join(_parts(track)) + "\n"


def _parts(track: Track) -> Iterator[str]:
    yield f"# {track.name.capitalize()}"
    yield f"*Written by `python -m edgebench.track_page docs/tracks` from the parts of the track: `{_folder(track)}`.*"
    yield track.question
    ids = ", ".join(f"`{track.env_id(region)}`" for region in REGIONS)
    yield f'Environments: {ids}; any region: `gymnasium.make("{track.any_env_id}", region=…)`.'
    yield inspect.getdoc(named(track.env)) or ""
    yield "## Metrics"
    yield f"Of an episode; the primary metric is `{track.metric}`, a failed episode has {track.floor:g}."
    yield _table(("name", "least", "most", "meaning"), [_metric_row(metric) for metric in track.figures])
    yield "## Reference bound"
    yield inspect.getdoc(named(track.bound)) or ""
    yield "## Reference agents"
    yield _table(("name", "what it does"), [(f"`{name}`", about) for name, about in _agents(track)])
    for kind in ("parallel", "aec", "vector"):
        if entry := getattr(track, kind):
            yield from _face(kind, entry)
    if track.streams:
        yield "## Draws"
        yield "Streams of the track's own (`docs/randomness.md`); the seed is the scenario's."
        rows = [(str(s.number), f"`{s.name}`", s.entity, s.slot, s.meaning) for s in named(track.streams)]
        yield _table(("stream", "name", "entity", "slot", "what it decides"), rows)


def _folder(track: Track) -> str:
    return track.env.partition(":")[0].rpartition(".")[0].replace(".", "/")


def _face(kind: str, entry: str) -> Iterator[str]:
    titles = {"parallel": "PettingZoo, parallel", "aec": "PettingZoo, in turns", "vector": "Gymnasium, vector"}
    environment: Any = named(entry)
    page = inspect.getdoc(environment) or ""
    yield f"## {titles[kind]}: `{entry.replace(':', '.')}`"
    yield page.replace("\n## ", "\n### ")


def _metric_row(metric: Metric) -> tuple[str, ...]:
    most = "" if math.isinf(metric.most) else f"{metric.most:g}"
    least = "" if math.isinf(metric.least) else f"{metric.least:g}"
    return f"`{metric.name}`", least, most, metric.meaning


def _agents(track: Track) -> Iterator[tuple[str, str]]:
    for name, path in reference_agents(track.agents).items():
        about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield name, " ".join(about.split("\n\n")[0].partition(": ")[2].split())


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    for record in TRACKS.values():
        write_text(Path(sys.argv[1]) / f"{record.name}.md", track_page(record))
