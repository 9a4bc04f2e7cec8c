"""A board of two small regions and finished runs for it, written as the harness writes them."""

import dataclasses
import hashlib
import json
import math
from pathlib import Path

import edgebench
from edgebench.harness.journal import columns_of, read_episodes
from edgebench.harness.manifest import FORMAT_VERSION
from edgebench.harness.process import Budgets
from edgebench.harness.summary import summarise
from edgebench.leaderboard.board import References
from edgebench.leaderboard.rules import Board, RegionRules
from edgebench.registry import TRACKS
from edgebench.sim.counter import uniform

ROUTE = TRACKS["route"]
METRICS = tuple(figure.name for figure in ROUTE.figures)
COLUMNS = columns_of(ROUTE)

SCALE = {"s1": References(0.1, 0.7), "s2": References(0.2, 0.8)}
TASKS = {"s1": 100, "s2": 70}
DIGESTS = {name: hashlib.sha256(name.encode()).hexdigest() for name in TASKS}
BOARD = Board(
    "route", "sample", "trap", {name: RegionRules(DIGESTS[name], TASKS[name], SCALE[name]) for name in TASKS}, seeds=2
)
AGENT = b"def act(observation, info):\n    return 0\n"


def rules(track, edition, scenario, played=()):
    return dataclasses.replace(BOARD, track=track, edition=edition, scenario=scenario)


def episode_row(region, window, seed, utility, *, scenario="trap", edition="sample"):
    """One healthy row; the utility is moved a little from episode to episode."""
    noise = uniform(seed, 3, window, len(region))
    value = utility + 0.05 * noise
    figures = dict.fromkeys(METRICS, 1.0) | {
        "utility": value,
        "reward": value * BOARD.regions[region].tasks_in(window),
        "success": 0.9,
        "quality": 0.6,
        "latency_p50_ms": 4000.0,
        "latency_p95_ms": 9000.0,
        "latency_p99_ms": 12000.0,
        "jain": 0.5,
        "decisions": 250.0,
    }
    front = {"track": "route", "edition": edition, "region": region, "split": "test", "scenario": scenario}
    place = {"episode": window * BOARD.seeds + seed, "window": window, "seed": seed, "status": "ok", "detail": ""}
    return {name: str(value) for name, value in (front | place | figures).items()}


def failed(row, status="timeout"):
    floors = {"utility": "0.0", "success": "0.0"}
    return row | {name: floors.get(name, "") for name in METRICS} | {"status": status, "detail": "too slow"}


def all_rows(utility=0.5, **names):
    return [episode_row(*key, utility, **names) for key in BOARD.episodes()]


def manifest_of(*, scenario="trap", edition="sample", version=edgebench.__version__, **changes):
    agent = {"name": "my_agent", "kind": "file", "sha256": hashlib.sha256(AGENT).hexdigest()}
    return {
        "format_version": FORMAT_VERSION,
        "edgebench_version": version,
        "agent": agent,
        "track": "route",
        "edition": edition,
        "split": "test",
        "scenario": scenario,
        "privileged": False,
        "seeds": BOARD.seeds,
        "regions": DIGESTS,
        "budgets": dataclasses.asdict(Budgets()),
        "started": "2025-01-01T00:00:00+00:00",
        "wall_s": 1.0,
        "cpu_s": 1.0,
    } | changes


def csv_text(rows):
    return "\n".join([",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]) + "\n"


def write_run(folder: Path, rows=None, manifest=None, *, summary=None, scale=None) -> Path:
    """A run folder; its summary follows from its rows unless another is given."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = all_rows() if rows is None else rows
    (folder / "episodes.csv").write_text(csv_text(rows), encoding="utf-8", newline="\n")
    (folder / "manifest.json").write_text(json.dumps(manifest or manifest_of()), encoding="utf-8")
    (folder / "agent.py").write_bytes(AGENT)
    privileged = (manifest or manifest_of()).get("privileged") is True
    stated = json.dumps(summary) if summary else summary_text(folder / "episodes.csv", scale or SCALE, privileged)
    (folder / "summary.json").write_text(stated, encoding="utf-8")
    return folder


_summaries: dict[tuple[str, str], str] = {}


def summary_text(episodes: Path, scale, privileged) -> str:
    """The summary of a table of episodes, computed once for each content."""
    key = (episodes.read_text(encoding="utf-8"), repr((scale, privileged)))
    if key not in _summaries:
        _summaries[key] = json.dumps(summarise(read_episodes(episodes, ROUTE), scale, privileged=privileged).as_json())
    return _summaries[key]


def changed(rows, index, **cells):
    return [row | cells if number == index else row for number, row in enumerate(rows)]


def is_close(first, second):
    return math.isclose(first, second, rel_tol=1e-9)
