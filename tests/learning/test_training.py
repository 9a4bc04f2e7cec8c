"""Training runs: they go on where they were left, keep the best on val, and refuse what is not theirs."""

import csv
import dataclasses
import json

import numpy as np
import pytest

import edgebench
from edgebench.errors import EdgeBenchError
from edgebench.learning.checkpoint import load_method, read_checkpoint
from edgebench.learning.job import Job
from edgebench.learning.play import play_fixed
from edgebench.learning.training import LAST, train

SMALL = Job("ppo", regions=("s1",), steps=2000, validations=2, seed=3, settings={"each": 4, "minibatch": 256})


def curve(folder):
    return list(csv.DictReader((folder / "curve.csv").read_text(encoding="utf-8").splitlines()))


def weights(folder):
    return (folder / "weights.safetensors").read_bytes()


@pytest.fixture(scope="module")
def trained(regions_home, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(regions_home))
        folder = tmp_path_factory.mktemp("trained")
        assert train(SMALL, folder)
    return folder


def test_a_run_that_was_left_ends_where_it_would_have(trained, tmp_path):
    rounds = []
    assert not train(SMALL, tmp_path, on_round=rounds.append, stop=lambda: True)
    assert train(SMALL, tmp_path, on_round=rounds.append)
    assert len(rounds) > 3
    assert weights(tmp_path) == weights(trained)
    told = [(row["decisions"], row["val"]) for row in curve(tmp_path)]
    assert told == [(row["decisions"], row["val"]) for row in curve(trained)]


def test_another_seed_learns_something_else(trained, tmp_path):
    train(dataclasses.replace(SMALL, seed=4), tmp_path)
    assert weights(tmp_path) != weights(trained)


def test_the_checkpoint_is_the_one_that_did_best_on_val(trained):
    validated = [(float(row["val"]), int(row["decisions"])) for row in curve(trained)]
    kept = read_checkpoint(trained)
    assert (kept.val, kept.decisions) in validated
    assert kept.val == max(val for val, _ in validated)
    method, _ = load_method(trained)
    played = play_fixed(kept.job, method, [edgebench.load("s1")], split="val", seeds=3)
    assert played["s1"].mean() == pytest.approx(kept.val)


def test_a_policy_plays_regions_it_was_not_trained_on(trained):
    method, kept = load_method(trained)
    played = play_fixed(kept.job, method, [edgebench.load("s3"), edgebench.load("s4")], split="test", seeds=1)
    assert set(played) == {"s3", "s4"}
    assert all(np.isfinite(values).all() and values.mean() > 0.1 for values in played.values())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"steps": 5000}, "another training run: steps"),
        ({"method": "pqo"}, "unknown method"),
        ({"track": "offload"}, "does not learn on offload/single"),
        ({"settings": {"clip": "wide"}}, "clip is 'wide'"),
        ({"settings": {"klip": 0.1}}, "unknown setting 'klip'"),
        ({"regions": ("nowhere",)}, "not built"),
    ],
)
def test_what_cannot_be_trained_is_refused(trained, changed, told):
    before = (trained / LAST).read_bytes()
    with pytest.raises(EdgeBenchError, match=told):
        train(dataclasses.replace(SMALL, **changed), trained)
    assert (trained / LAST).read_bytes() == before


@pytest.mark.parametrize("damage", ["weights", "record", "form", "state"])
def test_a_damaged_checkpoint_is_refused(trained, tmp_path, damage):
    for path in trained.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    record = json.loads((tmp_path / "checkpoint.json").read_text())
    if damage == "state":
        (tmp_path / LAST).write_bytes(b"\x80\x04evil")
        with pytest.raises(EdgeBenchError, match="damaged"):
            train(SMALL, tmp_path)
        return
    if damage == "weights":
        (tmp_path / "weights.safetensors").write_bytes(weights(trained)[:-4])
    elif damage == "record":
        (tmp_path / "checkpoint.json").write_text("{}")
    else:
        record["form"]["rows"] = record["form"]["rows"][:-1]
        (tmp_path / "checkpoint.json").write_text(json.dumps(record))
    with pytest.raises(EdgeBenchError, match=r"not those of the record|no checkpoint|do not fit"):
        load_method(tmp_path)


def test_every_method_names_faces_that_there_are():
    from edgebench.learning.methods import find_method, method_files
    from edgebench.registry import TRACKS

    faces = {f"{track.name}/{face}" for track in TRACKS.values() for face in track.worlds}
    for name in method_files():
        assert set(find_method(name).faces) <= faces, name


def test_every_table_is_made_of_methods_and_faces_that_there_are():
    from pathlib import Path

    from edgebench.learning.methods import find_method
    from edgebench.reproduce.runs import Plan
    from edgebench.reproduce.tables import TABLES

    for table in TABLES.values():
        plan = Plan(table, Path("nowhere"), "sample", 1, 100)
        for row in table.rows:
            assert f"{table.track}/{table.face}" in find_method(row.method).faces, (table.name, row.label)
            assert Job.read(plan.job(row, 0).as_json()) == plan.job(row, 0)
