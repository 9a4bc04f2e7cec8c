"""A method's best training seed on a board: kept, entered, verified, its curves shown."""

import json
import shutil

import pytest

from edgebench.errors import EdgeBenchError
from edgebench.harness import agents
from edgebench.leaderboard import renew as renewal
from edgebench.leaderboard import trained
from edgebench.leaderboard.board import read_entry
from edgebench.leaderboard.ledger import status_of
from edgebench.registry import REGIONS

SETTINGS = {"each": 4, "replicas": 4}


@pytest.fixture(scope="module")
def learned(built, tmp_path_factory):
    """A tiny training run of each of two seeds."""
    from edgebench.learning.job import Job
    from edgebench.learning.training import train

    runs = tmp_path_factory.mktemp("learned") / "es-tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(built))
        for seed in (0, 1):
            job = Job("es", regions=("s1",), steps=3000, seed=seed, settings=SETTINGS, validations=2)
            assert train(job, runs / f"seed-{seed}")
    return runs


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Where trained agents are kept; there are no other agents."""
    for module in (agents, trained):
        monkeypatch.setattr(module, "trained_folder", lambda track: tmp_path / "trained" / track)
    return tmp_path / "trained" / "route"


def record(folder):
    return json.loads((folder / "checkpoint.json").read_text())


def test_the_best_seed_is_entered_verified_and_shown_with_the_curves_of_all(
    run, learned, package, built, home, monkeypatch
):
    from edgebench.site.curves import curve_of
    from edgebench.site.world import make_row

    shutil.copytree(built, home)
    standard = {"s1": REGIONS["s1"]}
    monkeypatch.setattr("edgebench.registry.REGIONS", standard)
    monkeypatch.setattr(renewal, "REGIONS", standard)
    monkeypatch.setattr(renewal, "TAGGED_SCENARIOS", ("trap",))
    monkeypatch.setattr(renewal, "reference_agents", lambda package: {})
    kept = trained.keep_best(learned)
    assert kept == package / "es-tiny"
    best = max((record(learned / f"seed-{seed}") for seed in (0, 1)), key=lambda found: found["val"])
    assert record(kept) == best
    (line,) = renewal.renew(["route"])
    assert line.startswith("route trap es-tiny: ") and list(renewal.renew(["route"])) == []
    entry = home / "leaderboards" / "route" / "sample" / "trap" / "es-tiny"
    assert (entry / "curve.csv").read_bytes() == (kept / "curve.csv").read_bytes()
    told = run("verify", entry, "--episodes", 4)
    assert told.exit_code == 0, told.stderr
    row = make_row(entry, read_entry(entry, "es-tiny"), 1)
    assert row.entry.agent["kind"] == "checkpoint" and row.status == "verified"
    names = [line.name for line in curve_of(row, {}).lines]
    assert sorted(names) == sorted(f"seed {n}{', entered' * (n == best['job']['seed'])}" for n in (0, 1))
    with (entry / "curve.csv").open("a") as file:
        file.write("0,=cmd()\n")
    assert status_of(entry).mark == "self-reported"
    broken = run("validate", entry)
    assert broken.exit_code == 1 and broken.stdout.startswith("curve.csv, row 6: not ")


def test_seeds_that_were_not_trained_alike_or_not_to_the_end_are_refused(learned, package, tmp_path):
    runs = shutil.copytree(learned, tmp_path / "es-tiny")
    with pytest.raises(EdgeBenchError, match="no training runs"):
        trained.keep_best(runs / "seed-0")
    curve = runs / "seed-1" / "curve.csv"
    curve.write_text("".join(curve.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(EdgeBenchError, match="not finished"):
        trained.keep_best(runs)
    odd = record(runs / "seed-1")
    odd["job"]["steps"] = 2000
    (runs / "seed-1" / "checkpoint.json").write_text(json.dumps(odd))
    with pytest.raises(EdgeBenchError, match="not trained alike"):
        trained.keep_best(runs)
    assert agents.trained_agents("route") == {}
