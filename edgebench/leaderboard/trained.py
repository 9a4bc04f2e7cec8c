"""Trained agents that stand on boards: of every way of learning the training seed that did best on `val`.

python -m edgebench.leaderboard.trained RUNS…

RUNS are folders `<label>/` with training runs `seed-<n>/`, as `edgebench train` and `edgebench reproduce` leave them.
The checkpoint of the best seed goes to `reference_agents/trained/<track>/<label>/`, with the learning curves of all
seeds; `python -m edgebench.leaderboard.renew` enters it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from edgebench.atomic import atomic_folder, write_text
from edgebench.errors import EdgeBenchError
from edgebench.foreign import json_object
from edgebench.harness.agents import CHECKPOINT_FILES, CURVE, trained_folder
from edgebench.leaderboard.board import check_name
from edgebench.leaderboard.curve import SEED, read_curve
from edgebench.leaderboard.problems import Problem, read_table

_OF_A_SEED: Final = ("seed", "device")
"""Entries of a job in which training runs of one label may differ."""


def keep_best(runs: Path) -> Path:
    """Keep the best of the training runs `seed-<n>/` in a folder as the trained agent of the folder's name.

    Returns:
        The trained agent's folder; one that was there is replaced as a whole.

    Raises:
        EdgeBenchError: There is none, one is damaged or unfinished, or they were not trained alike.
    """
    check_name(runs.name, str(runs))
    seeds = sorted(path.parent for path in runs.glob(f"seed-*/{CHECKPOINT_FILES[0]}"))
    records = {folder: _record(folder) for folder in seeds}
    if not records:
        raise EdgeBenchError("no training runs", where=str(runs), mend="give a folder that holds seed-0, seed-1, …")
    if len({json.dumps(_shared(record), sort_keys=True) for record in records.values()}) > 1:
        raise EdgeBenchError("the seeds were not trained alike", where=str(runs), mend="train them with one command")
    best = max(seeds, key=lambda folder: (float(records[folder]["val"]), -int(records[folder]["job"]["seed"])))
    target = trained_folder(str(records[best]["job"]["track"])) / runs.name
    with atomic_folder(target) as folder:
        for name in CHECKPOINT_FILES:
            shutil.copyfile(best / name, folder / name)
        write_text(folder / CURVE, _joined(records))
    return target


def _record(folder: Path) -> dict[str, Any]:
    """What a checkpoint's file says, its form with the defaults of what was not yet told when it was written."""
    from edgebench.learning.checkpoint import read_checkpoint

    form = dataclasses.asdict(read_checkpoint(folder).form)
    return json_object((folder / CHECKPOINT_FILES[0]).read_text(encoding="utf-8")) | {"form": form}


def _shared(record: Mapping[str, Any]) -> dict[str, Any]:
    job = {name: value for name, value in record["job"].items() if name not in _OF_A_SEED}
    return {"job": job, "digests": record["digests"], "form": record["form"]}


def _joined(records: Mapping[Path, Mapping[str, Any]]) -> str:
    """The curves of the training seeds as one table, the seed in front."""
    jobs = sorted(
        (int(record["job"]["seed"]), int(record["job"]["steps"]), folder) for folder, record in records.items()
    )
    rows = [{SEED: str(seed)} | row for seed, steps, folder in jobs for row in _curve(folder, steps)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _curve(folder: Path, steps: int) -> list[dict[str, str]]:
    """The rows of the curve of a training run that went to its end."""
    problems: list[Problem] = []
    table = read_table(folder, CURVE, problems)
    if table is None or read_curve(folder, problems) is None:
        raise EdgeBenchError(f"no learning curve: {problems[0]}", where=str(folder), mend="train again")
    rows = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    if not rows or float(rows[-1]["decisions"]) < steps:
        raise EdgeBenchError("the training run is not finished", where=str(folder), mend="go on with the same command")
    return rows


def main(folders: Sequence[str]) -> None:
    """Keep the best of each folder, and say where."""
    for name in folders:
        sys.stdout.write(f"{keep_best(Path(name))}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
