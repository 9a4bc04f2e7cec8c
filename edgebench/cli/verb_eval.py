"""`edgebench eval`: an agent in, a scored run out."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from edgebench.cli.common import (
    DOES_NOT_HOLD,
    INTERRUPTED,
    edition_option,
    json_option,
    print_json,
    progress,
    ray_option,
    regions_option,
    scenario_option,
    stderr,
    stdout,
    table,
    tell_compiling,
    track_option,
    verb,
)
from edgebench.cli.values import AGENT, SPLIT, Finite
from edgebench.cli.verb_build import ensure_built

if TYPE_CHECKING:
    from edgebench.harness.process import Budgets
    from edgebench.harness.run import Run
    from edgebench.harness.summary import Figures, Summary

_CAUSES_TOLD: Final = 5
_MENDS: Final = {
    "invalid": "act must return an action of the environment's action space that action_mask allows",
    "error": "act and reset must neither raise nor exit",
    "timeout": "decide sooner; the budgets are in manifest.json",
}
_MISSING: Final = "install that module beside EdgeBench, or do without it"


@verb("edgebench eval my_agent.py --regions s1,s2")
@click.argument("agent", type=AGENT)
@track_option
@regions_option
@click.option("--split", type=SPLIT, default="test", show_default=True, help="test; val or train to develop on.")
@scenario_option
@click.option("--seeds", type=click.IntRange(1), help="Scenario seeds a window is played under.  [default: 5]")
@edition_option
@click.option("--privileged", is_flag=True, help="Show the agent what no operator can know; marked in every result.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder.  [default: runs/AGENT-… in the data folder]")
@click.option("--overwrite", is_flag=True, help="Replace the run in the folder instead of resuming it.")
@click.option("--decision-cpu-s", type=Finite(0, min_open=True), help="CPU time of one decision.")
@click.option("--decision-wall-s", type=Finite(0, min_open=True), help="Wall-clock time of one decision.")
@click.option("--startup-wall-s", type=Finite(0, min_open=True), help="Wall-clock time of starting the agent.")
@ray_option
@json_option
def command(agent: str, out: Path | None, as_json: bool, regions: str, **options: Any) -> None:
    """Score AGENT: a .py file, package:Class, the name of a reference agent (edgebench list agents), or the folder of a
    checkpoint that `edgebench train` made.

    The agent runs in a process of its own. Whatever it does wrong is counted, scores the floor and does not stop the
    run; the exit status is then 1. The same command after Ctrl-C goes on where it stopped. Budgets other than the
    usual are recorded.
    """
    from edgebench.constants import EVAL_SEEDS
    from edgebench.harness.agents import resolve_agent
    from edgebench.registry import wanted_regions

    source = resolve_agent(agent, options["track"])
    options["regions"] = wanted_regions(regions, options["edition"])
    options["seeds"] = options["seeds"] or EVAL_SEEDS
    if source.kind == "checkpoint" and not _plays_alone(source.target, options["track"]):
        _play_face(source.target, options, as_json)
        return
    budgets = _budgets(options)
    folder = out or _default_folder(source.name, source.sha256, options)
    ensure_built(options["regions"], options["edition"])
    tell_compiling(options["track"])
    run = _evaluate(agent, folder, budgets, options)
    if as_json:
        print_json({"folder": str(folder), "manifest": run.manifest, "summary": run.summary.as_json()})
    else:
        stdout().print(summary_table(source.name, run.summary))
    stderr().print(f"run folder: {folder}", soft_wrap=True, markup=False)
    if _tell_failures(run):
        click.get_current_context().exit(DOES_NOT_HOLD)


def _plays_alone(checkpoint: str, track: str) -> bool:
    """Whether a checkpoint plays the environment of one agent: what learned in a team on other decisions does not."""
    from edgebench.harness.agents import require_torch
    from edgebench.registry import track as find_track

    require_torch()
    from edgebench.learning.checkpoint import read_checkpoint

    return read_checkpoint(Path(checkpoint)).job.face in find_track(track).sights


def _play_face(checkpoint: str, options: dict[str, Any], as_json: bool) -> None:
    """Score a checkpoint on the face on which it learned, in this process: nothing for a board."""
    from edgebench.harness.statistics import region_score, total_score
    from edgebench.learning.checkpoint import load_method
    from edgebench.learning.play import face_scores
    from edgebench.region import load

    ensure_built(options["regions"], options["edition"])
    method, kept = load_method(Path(checkpoint))
    regions = [load(name, edition=options["edition"]) for name in options["regions"]]
    named = {name: options[name] for name in ("split", "seeds", "scenario")}
    scores = face_scores(kept.job, method, regions, **named)
    found = {name: region_score(scores, name) for name in scores.regions} | {"total": total_score(scores)}
    if as_json:
        print_json({"face": kept.job.face, "scores": {name: vars(score) for name, score in found.items()}})
        return
    rows = [[name, f"{score.value:z.3f}", f"{score.low:z.3f}–{score.high:z.3f}"] for name, score in found.items()]
    title = f"{kept.job.method} · {options['track']}, face {kept.job.face}, {options['scenario']}, {options['split']}"
    stdout().print(table(title, ["region", "score", "95 % interval"], rows))
    stderr().print("played on its own face, in this process: not for a board")


def _budgets(options: dict[str, Any]) -> Budgets:
    """The usual budgets with those given on the command line, which are taken out of `options`."""
    from edgebench.harness.process import Budgets

    given = {name: options.pop(name) for name in ("decision_cpu_s", "decision_wall_s", "startup_wall_s")}
    return Budgets(**{name: value for name, value in given.items() if value is not None})


def _tell_failures(run: Run) -> bool:
    """Say on stderr which episodes failed and why, the commonest causes first; whether there was any."""
    from edgebench.harness.process import NOT_AGAIN

    failed = run.episodes[run.episodes["status"] != "ok"].to_dict("records")
    causes = [(row["status"], row["detail"].removeprefix(NOT_AGAIN)) for row in failed]
    for (status, detail), count in Counter(causes).most_common(_CAUSES_TOLD):
        first = failed[causes.index((status, detail))]
        click.echo(f"{count} of {len(run.episodes)} episodes failed: {status}: {detail}", err=True)
        click.echo(
            f"  where: first in region {first['region']}, window {first['window']}, seed {first['seed']}", err=True
        )
        mend = _MISSING if detail.startswith("ModuleNotFoundError: ") else _MENDS[status]
        click.echo(f"  mend: {mend}", err=True)
    return bool(failed)


def _default_folder(name: str, sha256: str, options: dict[str, Any]) -> Path:
    """One folder for each agent (by its code) and conditions, so that the same command finds its run again."""
    from edgebench.paths import home
    from edgebench.registry import REGIONS

    regions = "" if options["regions"] == list(REGIONS) else "-" + "+".join(sorted(options["regions"]))
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
    conditions = f"{options['track']}-{options['edition']}-{options['scenario']}-{options['split']}"
    conditions += "-privileged" * options["privileged"]
    return home() / "runs" / f"{safe}-{sha256[:8]}-{conditions}-{options['seeds']}{regions}"


def _evaluate(agent: str, folder: Path, budgets: Budgets, options: dict[str, Any]) -> Run:
    from edgebench.harness.episodes import EpisodeResult
    from edgebench.harness.run import evaluate

    kept = "no episode was finished"
    with progress("episodes") as report:

        def on_episode(result: EpisodeResult, done: int, total: int) -> None:
            nonlocal kept
            kept = f"{done} of {total} episodes are kept"
            report(result.key.region, done, total)

        try:
            return evaluate(agent, out=folder, budgets=budgets, on_episode=on_episode, **options)
        except KeyboardInterrupt:
            click.echo(f"interrupted: {kept} in {folder}; the same command goes on from there", err=True)
            click.get_current_context().exit(INTERRUPTED)


def summary_table(agent: str, summary: Summary) -> Any:
    """The figures of a run: a column a region and one for the total."""
    from edgebench.leaderboard.page import cell_of, shown

    columns = [(region.region, region) for region in summary.regions]
    parts: list[tuple[str, Figures]] = [*columns, ("total", summary.total)]
    lines = [["score", *(f"{part.score.value:z.3f}" for _, part in parts)]]
    lines += [["95 % interval", *(f"{part.score.low:z.3f}–{part.score.high:z.3f}" for _, part in parts)]]
    for figure in shown(summary.track):
        lines += [[figure.heading, *(cell_of(figure, part.means[figure.name]) for _, part in parts)]]
    lines += [["episodes", *(str(sum(part.statuses.values())) for _, part in parts)]]
    failed = [status for status, count in summary.total.statuses.items() if status != "ok" and count]
    lines += [[f"{status} episodes", *(str(figures.statuses[status]) for _, figures in parts)] for status in failed]
    title = f"{agent} · {summary.track}, {summary.scenario}, {summary.split}, edition {summary.edition}"
    title += ", privileged" * summary.privileged
    return table(title, ["", *(name for name, _ in parts)], lines)
