"""`edgebench explain`: where an agent loses, beside a heuristic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebench.cli.common import json_option, print_json, progress, stderr, stdout, table, tell_compiling, verb
from edgebench.cli.values import Existing
from edgebench.errors import EdgeBenchError

if TYPE_CHECKING:
    from edgebench.explain.replay import Explanation


@verb("edgebench explain runs/my_agent --plot why.png")
@click.argument("run", type=Existing(file_okay=False))
@click.option("--plot", type=click.Path(path_type=Path), help="Also draw the parts as bars, a .png.")
@json_option
def command(run: Path, plot: Path | None, as_json: bool) -> None:
    """Tell where the agent of the finished run in RUN loses, part by part, beside a heuristic on the same episodes.

    Route: 1 - utility, lost to network, traps, queues, loading, service, quality, cost and failures, beside lookahead.
    Offload: 1 - value, by how work ends, beside proportional. Allocate: 1 - completion, by priority, and whether the
    job was ever sent, beside priority-edf. Place: the time of a batch over the contiguous placement's, beside
    hierarchical-eplb. The parts sum to that; how they are reckoned: python -m pydoc edgebench.explain.route.

    Both play all episodes for it, the agent in its own process. --plot needs edgebench[plots].
    """
    from edgebench.explain.replay import explain
    from edgebench.leaderboard.rerun import read_submission

    if plot is not None and plot.suffix.lower() != ".png":
        raise EdgeBenchError("this is no name of a picture", where=str(plot), mend="end it with .png")
    submission = read_submission(run)
    tell_compiling(submission.manifest["track"])
    with progress("episodes") as report:
        found = explain(submission, report)
    if plot is not None:
        from edgebench.explain.plot import draw_losses

        draw_losses(found, plot)
        stderr().print(f"wrote {plot}", soft_wrap=True, markup=False)
    if as_json:
        print_json(_as_json(found))
    else:
        _print_losses(found)


def _print_losses(found: Explanation) -> None:
    agent, guide = means = found.means()
    shown = [place for place in range(len(found.parts)) if means[:, place].any()]
    rows = [_row(found.parts[place], found.meaning(found.parts[place]), means[:, place]) for place in shown]
    rows.append(_row(found.losses.what, "all of it", means.sum(axis=1)))
    title = f"{found.track}, {found.conditions}: {len(found.keys)} episodes"
    console, columns = stdout(), ("lost to", "that is", *found.agents, "difference")
    console.print(table(title, columns, rows, texts=2, bold=[len(rows) - 1]))
    worst = int((agent - guide).argmax())
    if agent[worst] > guide[worst]:
        more = f"{agent[worst] - guide[worst]:.3f} more to {found.parts[worst]}, the most of any part"
        console.print(f"beside {found.agents[1]} it loses {more}", markup=False, soft_wrap=True)
    if found.left_out:
        console.print(f"{found.left_out} failed episodes are left out: they have no such sum", markup=False)


def _row(name: str, meaning: str, pair: Any) -> tuple[str, ...]:
    agent, guide = pair
    return name, meaning, f"{agent:z.3f}", f"{guide:z.3f}", f"{agent - guide:+z.3f}"


def _as_json(found: Explanation) -> dict[str, Any]:
    def by_agent(region: str = "") -> dict[str, Any]:
        pairs = zip(("agent", "guide"), found.means(region), strict=True)
        return {
            who: {"loss": float(row.sum()), "parts": dict(zip(found.parts, row.tolist(), strict=True))}
            for who, row in pairs
        }

    return {
        "track": found.track,
        "conditions": found.conditions,
        "loss": found.losses.what,
        "agents": dict(zip(("agent", "guide"), found.agents, strict=True)),
        "episodes": len(found.keys),
        "left_out": found.left_out,
        "meanings": {part: found.meaning(part) for part in found.parts},
        "all": by_agent(),
        "regions": {region: by_agent(region) for region in found.regions},
    }
