"""A data folder in which commands are killed: how it is made, what stands in it, whether all of it is whole."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebench.harness.agents import CHECKPOINT_FILES
from edgebench.harness.journal import MEASURED_TIMES
from edgebench.harness.run import EPISODES, MANIFEST, SUMMARY
from edgebench.leaderboard.ledger import FILE, MARKS, Line, digests_of, read_ledger
from edgebench.paths import home
from edgebench.region import read_region
from edgebench.registry import region_spec

AGENT = Path(__file__).resolve().parent.parent / "examples" / "my_agent.py"
_BOARD = "leaderboards/route/sample"
ENTRY = f"{_BOARD}/trap/first"
LEFT_OVER = "*.tmp"


def make_world(folder: Path) -> None:
    """Fill `folder`, which is the data folder: s1, another build of s1-dag, two runs, two entries, an old board."""
    from builders.pipeline import build_region
    from edgebench.harness.run import evaluate
    from edgebench.leaderboard.board import rank, read_board
    from edgebench.leaderboard.page import write_board
    from edgebench.leaderboard.submission import submit

    assert home() == folder
    (folder / "temporary").mkdir(parents=True)
    build_region(region_spec("s1"))
    build_region(region_spec("s1-dag"), seed=1)
    shutil.copyfile(AGENT, folder / "my_agent.py")
    for agent, name in ((str(folder / "my_agent.py"), "example"), ("nearest", "nearest")):
        evaluate(agent, regions=["s1"], out=folder / "runs" / name)
    evaluate("nearest", regions=["s1"], seeds=1, out=folder / "runs" / "replaced")
    submit(folder / "runs" / "example", "first")
    write_board(rank(read_board("route", "sample")), "route", "sample")
    submit(folder / "runs" / "nearest", "second")


@dataclass(frozen=True)
class Episodes:
    """A run folder: its rows without the times measured, and its scores where it is finished."""

    rows: frozenset[tuple[str, ...]]
    scores: str | None

    def is_between(self, old: object, new: object) -> bool:
        """Whether this is the beginning of a run, or a run that is being given up."""
        if self.scores is not None:
            return self in (old, new)
        return any(isinstance(whole, Episodes) and self.rows <= whole.rows for whole in (old, new))


@dataclass(frozen=True)
class Training:
    """A training folder: its validations, and which of them its checkpoint is of; None before there is one."""

    curve: tuple[tuple[str, str], ...]
    checkpoint: tuple[int, float, str] | None

    def is_between(self, old: object, new: object) -> bool:
        """Whether this is the beginning of a training run."""
        return isinstance(new, Training) and self.curve == new.curve[: len(self.curve)]


def standing(world: Path) -> dict[str, object]:
    """What stands in a data folder, by name, read as EdgeBench reads it; raises where a part of it is not whole."""
    for path in sorted(world.rglob("*")):
        if path.is_file() and not _is_hidden(path, world):
            _read_whole(path)
    return dict(_parts(world))


def left_over(world: Path) -> list[str]:
    """Temporary files and folders that nobody has removed yet."""
    return sorted(str(path.relative_to(world)) for path in world.rglob(LEFT_OVER))


def _parts(world: Path) -> Iterator[tuple[str, object]]:
    for path in (world / "processed" / "sample").glob("[!.]*/"):
        yield path.name, (read_region(path).digest, tuple(sorted(file.name for file in path.iterdir())))
    for path in (world / _BOARD / "trap").glob("[!.]*/"):
        yield f"entry {path.name}", digests_of(path)
    yield FILE, _told(read_ledger(world / "leaderboards" / FILE))
    for name in ("leaderboard.csv", "leaderboard.md"):
        yield name, (world / _BOARD / name).read_bytes()
    for path in (world / "runs").glob("[!.]*/"):
        if (path / MANIFEST).is_file():
            yield f"run {path.name}", _episodes(path)
        for seed in path.glob("seed-*/"):
            yield f"training {path.name}", _training(seed)


def _told(lines: list[Line]) -> list[tuple[str, ...]]:
    """The ledger without its dates; of a verification that came out again, as the same command does, one line."""
    told = [(line.entry, line.what, line.checked, line.reason, line.files) for line in lines]
    before: list[tuple[str, ...] | None] = [None, *told]
    return [line for line, last in zip(told, before, strict=False) if line != last or line[1] not in MARKS]


def _episodes(folder: Path) -> Episodes:
    scores = None
    if (folder / SUMMARY).is_file():
        regions = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))["regions"]
        scores = json.dumps([region["score"] for region in regions])
    rows = _table(folder / EPISODES) if (folder / EPISODES).is_file() else []
    kept = [tuple(value for name, value in row.items() if name not in MEASURED_TIMES) for row in rows]
    return Episodes(frozenset(kept), scores)


def _training(folder: Path) -> Training:
    from edgebench.learning.checkpoint import read_checkpoint
    from edgebench.learning.tensors import load_tree
    from edgebench.learning.training import CURVE, LAST

    if (folder / LAST).is_file():
        load_tree(folder / LAST)
    rows = _table(folder / CURVE) if (folder / CURVE).is_file() else []
    curve = tuple((row["decisions"], row["val"]) for row in rows)
    if not (folder / CHECKPOINT_FILES[0]).is_file():
        return Training(curve, None)
    kept = read_checkpoint(folder)
    return Training(curve, (kept.decisions, kept.val, kept.sha256))


def _table(path: Path) -> list[dict[str, str]]:
    """The whole lines of a CSV file: of a table of episodes the last may be torn, the next evaluation cuts it off."""
    return list(csv.DictReader(io.StringIO(_whole_lines(path))))


def _is_hidden(path: Path, world: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(world).parts)


def _read_whole(path: Path) -> None:
    if path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".csv":
        wide = {len(row) for row in csv.reader(io.StringIO(_whole_lines(path)), strict=True)}
        assert len(wide) <= 1, f"{path}: rows of {wide} cells"
    elif path.suffix == ".parquet":
        import pyarrow.parquet as pq

        pq.read_table(path).validate(full=True)
    elif path.suffix == ".safetensors":
        from safetensors import safe_open

        with safe_open(path, framework="np") as file:
            tensors: list[Any] = [file.get_tensor(name) for name in file.keys()]  # noqa: SIM118 - no dictionary
        assert tensors, path


def _whole_lines(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1]
