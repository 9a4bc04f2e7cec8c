"""Agents that never saw a region, on it alone; and what it costs a method to have learned elsewhere."""

import json

import numpy as np
import pytest
from board_toy import BOARD, DIGESTS, SCALE, all_rows, manifest_of, write_run

from edgebench.errors import EdgeBenchError
from edgebench.leaderboard import cross_domain as module
from edgebench.leaderboard.board import read_board, read_entry
from edgebench.leaderboard.cross_domain import cross_domain


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(module, "UNSEEN", "s2")
    return tmp_path / "leaderboards"


@pytest.fixture
def trap(home):
    return home / "route" / "sample" / "trap"


def found():
    return cross_domain(read_board("route", "sample"))


def enter(folder, kind, name="x", learned_on=None, **changes):
    write_run(folder, changes.pop("rows", None), manifest_of(agent=agent(kind, name), **changes))
    if learned_on is not None:
        record = {"job": job(learned_on, 0)}
        (folder / "checkpoint.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def agent(kind, name):
    return {"name": name, "kind": kind, "sha256": "a" * 64}


def job(regions, seed, **changes):
    return {"method": "ppo", "track": "route", "steps": 100, "regions": regions, "seed": seed} | changes


def keep_run(home, label, regions, seed, values, **changes):
    """A training run as `edgebench reproduce` keeps it, its utilities on s2."""
    folder = home / "learning" / "sample" / "table-100" / label / f"seed-{seed}"
    folder.mkdir(parents=True)
    (folder / "checkpoint.json").write_text(json.dumps({"job": job(regions, seed, **changes)}), encoding="utf-8")
    kept = {"split": "test", "seeds": BOARD.seeds, "digests": DIGESTS, "scores": {"s2": {"trap": list(values)}}}
    (folder / "scores.json").write_text(json.dumps(kept), encoding="utf-8")


def test_rows_are_ranked_on_the_unseen_region_and_the_others_stand_beside(trap):
    good_there = [row | {"utility": "0.7" if row["region"] == "s2" else "0.2"} for row in all_rows()]
    good_at_home = [row | {"utility": "0.3" if row["region"] == "s2" else "0.6"} for row in all_rows()]
    enter(trap / "there", "file", rows=good_there)
    enter(trap / "home", "file", rows=good_at_home)
    (board,) = found()
    assert [(rank, entry.name) for rank, entry in board.table.rows] == [(1, "there"), (2, "home")]
    scale = SCALE["s2"]
    assert board.table.rows[0][1].summary.total.score.value == pytest.approx(
        (0.7 - scale.random) / (scale.bound - scale.random)
    )
    for name in ("there", "home"):
        assert board.home[name] == pytest.approx(read_entry(trap / name, name, ["s1"]).summary.total.score.value)


def test_whoever_learned_there_has_no_row(trap):
    enter(trap / "elsewhere", "checkpoint", learned_on=["s1"])
    enter(trap / "there", "checkpoint", learned_on=["s1", "s2"])
    enter(trap / "tuned", "reference", "tuned")
    enter(trap / "nearest", "reference", "nearest")
    (board,) = found()
    assert [entry.name for _, entry in board.table.rows] == ["elsewhere", "nearest"]
    assert board.learned_there == ("there", "tuned")


def test_what_was_not_played_there_or_in_trap_or_with_this_version_is_not_told(home, trap):
    enter(trap / "old", "file", version="0.0.9")
    enter(home / "route" / "sample" / "burst" / "a", "file", rows=all_rows(scenario="burst"), scenario="burst")
    assert found() == []


def test_a_method_is_paired_with_itself_learned_there(home, trap):
    enter(trap / "a", "file")
    episodes = np.linspace(0.3, 0.6, 4)
    for seed in (0, 1):
        keep_run(home, "on-s1", ["s1"], seed, episodes - 0.06)
        keep_run(home, "on-s2", ["s2"], seed, episodes)
        keep_run(home, "other", ["s1"], seed, episodes, steps=200)
    (board,) = found()
    (loss,) = board.losses
    assert (loss.method, loss.decisions, loss.learned_on) == ("ppo", 100, ("s1",))
    scale = SCALE["s2"]
    assert loss.lost.value == pytest.approx(0.06 / (scale.bound - scale.random))
    assert loss.lost.low == pytest.approx(loss.lost.value) == loss.lost.high  # every episode and seed alike


def test_runs_on_another_build_tell_nothing_and_damaged_ones_are_named(home, trap, monkeypatch):
    enter(trap / "a", "file")
    for label, regions in (("on-s1", ["s1"]), ("on-s2", ["s2"])):
        keep_run(home, label, regions, 0, [0.5] * 4)
    with monkeypatch.context() as patch:
        patch.setitem(DIGESTS, "s2", "0" * 64)
        enter(trap / "a", "file")
        assert found()[0].losses == ()
    enter(trap / "a", "file")
    (home / "learning/sample/table-100/on-s1/seed-0/scores.json").write_text("{", encoding="utf-8")
    with pytest.raises(EdgeBenchError, match="damaged scores of a training run"):
        found()
