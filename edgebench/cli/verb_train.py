"""`edgebench train`: a learning method in, checkpoints out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebench.cli.common import (
    INTERRUPTED,
    device_option,
    edition_option,
    jobs_option,
    json_option,
    print_json,
    ray_option,
    scenario_option,
    stderr,
    stdout,
    table,
    tell_compiling,
    track_option,
    verb,
)
from edgebench.cli.values import FACE, METHOD, REGIONS, Count
from edgebench.cli.verb_build import ensure_built
from edgebench.errors import EdgeBenchError

if TYPE_CHECKING:
    from edgebench.learning.job import Job


@verb("edgebench train ppo --track route --regions s1,s2,s3 --seeds 5")
@click.argument("method", type=METHOD)
@track_option
@click.option("--face", type=FACE, default="single", show_default=True, help="Who decides: single, or team.")
@click.option("--regions", type=REGIONS, default="s1,s2,s3", show_default=True, help="Where it learns.")
@scenario_option
@edition_option
@click.option(
    "--steps", type=Count(), default=1_000_000, show_default=True, help="Decisions to learn from, such as 1e6."
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Training seeds 0 … N-1.")
@click.option("--without", default="", help="Parts of the method to leave out: se,dwa.")
@click.option("--with", "with_", default="", help="Parts to put in that are out by default.")
@click.option("--set", "given", multiple=True, help="A setting: --set learning_rate=0.001.")
@click.option("--face-set", "face_given", multiple=True, help="A setting of the face: --face-set gateways=8.")
@device_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder; by default under runs/train.")
@click.option("--overwrite", is_flag=True, help="Begin anew instead of going on.")
@jobs_option
@ray_option
@json_option
def command(method: str, out: Path | None, overwrite: bool, jobs: int | None, as_json: bool, **options: Any) -> None:
    """Train METHOD (edgebench list methods) under several seeds.

    Each seed has a folder with its checkpoint, the one that did best on `val`, and `curve.csv`. The same command after
    Ctrl-C goes on where it stopped, and gives what it would have given. Evaluate with `edgebench eval FOLDER`.
    """
    ray_address, seeds = options.pop("ray_address"), options.pop("seeds")
    job = _job(method, options)
    ensure_built(job.regions, job.edition)
    tell_compiling(job.track)
    folder = out or default_folder(job)
    if overwrite:
        _forget(folder)
    trained = train_seeds(job, folder, seeds, jobs=jobs, ray_address=ray_address)
    if as_json:
        print_json(trained)
    else:
        rows = [[str(seed["seed"]), f"{seed['decisions']:,}", f"{seed['val']:.4f}", seed["folder"]] for seed in trained]
        stdout().print(
            table(f"{method} on {job.track}, {'+'.join(job.regions)}", ["seed", "decisions", "val", "folder"], rows)
        )


def _forget(folder: Path) -> None:
    from edgebench.learning.training import forget

    for place in sorted(folder.glob("seed-*")):
        forget(place)


def train_seeds(job: Job, folder: Path, seeds: int, *, jobs: int | None, ray_address: str) -> list[dict[str, Any]]:
    """Train `job` under seeds 0 … `seeds` - 1 in sub-folders; what their checkpoints say."""
    import dataclasses

    from edgebench.crew import Stopped, cores, run_here
    from edgebench.learning.checkpoint import read_checkpoint
    from edgebench.learning.course import training_task

    every = [dataclasses.replace(job, seed=seed) for seed in range(seeds)]
    folders = [folder / f"seed-{seed}" for seed in range(seeds)]
    tasks = [training_task(one, place) for one, place in zip(every, folders, strict=True)]
    with training_progress(every) as report:
        try:
            if ray_address:
                from edgebench.ray_crew import run_on_ray

                run_on_ray(tasks, ray_address, report)
            else:
                run_here(tasks, min(jobs or cores(), seeds), report)
        except Stopped:
            click.echo(f"interrupted: what was learned is in {folder}; the same command goes on from there", err=True)
            click.get_current_context().exit(INTERRUPTED)
    found = [read_checkpoint(place) for place in folders]
    return [
        {"seed": one.job.seed, "decisions": one.decisions, "val": one.val, "folder": str(place)}
        for one, place in zip(found, folders, strict=True)
    ]


@contextmanager
def training_progress(jobs: Sequence[Job]) -> Iterator[Callable[[int, Any], None]]:
    """Yield `report(number, told)` that moves a bar a seed on stderr: scores, decisions a second, time left."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    console = stderr()
    bar = Progress(
        *columns,
        TextColumn("{task.fields[words]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        rows = [bar.add_task(f"{job.method} seed {job.seed}", total=job.steps, words="") for job in jobs]

        def report(number: int, told: Any) -> None:
            val = "" if told["val"] is None else f", val {told['val']:.3f}"
            rate = told["decisions"] / max(told["seconds"], 1e-9)
            words = f"train {told['score']:.3f}{val}, {rate:,.0f} decisions/s"
            bar.update(rows[number], completed=told["decisions"], words=words)

        yield report


def default_folder(job: Job) -> Path:
    """A folder for each method, face, training regions and what was changed of its settings."""
    from edgebench.paths import home

    changed = "".join(f"-{name}-{value}" for name, value in sorted({**job.settings, **job.face_settings}.items()))
    name = f"{job.method}-{job.face}-{'+'.join(job.regions)}-{job.scenario}-{job.steps}{changed}"
    return home() / "runs" / "train" / job.track / job.edition / name.replace(" ", "")


def _job(method: str, options: dict[str, Any]) -> Job:
    from edgebench.learning.job import Job
    from edgebench.learning.methods import find_method
    from edgebench.registry import wanted_regions

    kind = find_method(method)  # tells where torch is missing, before the next line imports it
    from edgebench.learning.method import settings_of

    settings = _settings(options.pop("given")) | dict.fromkeys(_names(options.pop("without")), False)
    settings |= dict.fromkeys(_names(options.pop("with_")), True)
    wanted = kind.face_settings(settings_of(kind.settings_type, settings), options["face"])
    regions = tuple(wanted_regions(options.pop("regions"), options["edition"]))
    if options["device"] == "cuda":
        _require_cuda()
    face_settings = {**wanted, **_settings(options.pop("face_given"))}
    return Job(method, regions=regions, settings=settings, face_settings=face_settings, **options)


def _require_cuda() -> None:
    import torch

    if not torch.cuda.is_available():
        raise EdgeBenchError("no GPU that torch can use", where="--device cuda", mend="leave --device out")


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _settings(given: Sequence[str]) -> dict[str, Any]:
    """`name=value` pairs; a value is a number, true, false or a word."""
    settings = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise EdgeBenchError("a setting without a value", where=pair, mend="write name=value")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    return settings
