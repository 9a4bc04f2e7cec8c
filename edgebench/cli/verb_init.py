"""`edgebench init`: an agent to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import json_option, print_json, stdout, track_option, verb
from edgebench.errors import EdgeBenchError


@verb("edgebench init my_agent.py")
@click.argument("file", type=click.Path(path_type=Path))
@track_option
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
def command(file: Path, track: str, force: bool, as_json: bool) -> None:
    """Write a commented agent of a track to FILE, which ends with .py: a few lines that already beat random.

    The commands to go on with are printed.
    """
    from edgebench.atomic import write_text

    if file.suffix != ".py":
        raise EdgeBenchError("an agent is a .py file", where=str(file), mend="end it with .py")
    source = _first_agent(track)
    if file.exists() and not force:
        raise EdgeBenchError("there is such a file", where=str(file), mend="--force, or another name")
    write_text(file, source.read_text(encoding="utf-8").replace("my_agent.py", file.name))
    told = f" --track {track}" * (track != "route")
    commands = {
        f"edgebench eval {file}{told} --split val --regions s1 --out runs/{file.stem}": "score it on one region",
        f"edgebench explain runs/{file.stem}": "where it loses, beside a heuristic",
        f"edgebench play{told}": "decide by hand, to see what it sees",
        f"edgebench eval {file}{told}": "the score that counts",
    }
    if as_json:
        print_json({"file": str(file), "track": track, "next": list(commands)})
        return
    width = max(map(len, commands))
    stdout().print(f"wrote {file}; next:\n", markup=False, highlight=False, soft_wrap=True)
    for line, why in commands.items():
        stdout().print(f"    {line:{width}}  # {why}", markup=False, highlight=False, soft_wrap=True)


def _first_agent(track: str) -> Path:
    """The file of the track's first agent; EdgeBenchError where it has none."""
    from importlib.util import find_spec

    from edgebench.registry import TRACKS
    from edgebench.registry import track as find_track

    module = find_track(track).first_agent
    if not module:
        known = ", ".join(name for name, other in TRACKS.items() if other.first_agent)
        raise EdgeBenchError(f"the track {track} has no agent to begin with", mend=f"these have one: {known}")
    found = find_spec(module)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(module)
    return Path(found.origin)
