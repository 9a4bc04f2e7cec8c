"""`edgebench reproduce`: what a table lacks is made, what is there is kept, and the page tells both."""

import json
import os
import subprocess
import sys

import pytest

from edgebench.reproduce.runs import Plan, take_over
from edgebench.reproduce.tables import TABLES

SMALL = ("--table", "route-ablations", "--rows", "ppo", "--steps", 2000, "--seeds", 1, "--out", "made")


@pytest.fixture(scope="module")
def run(regions_home, tmp_path_factory):
    """Runs a verb in a folder of the module."""
    folder = tmp_path_factory.mktemp("reproduce")

    def verb(*arguments, check=True):
        told = subprocess.run(
            [sys.executable, "-m", "edgebench.cli", *map(str, arguments)], capture_output=True, text=True, check=False,
            cwd=folder, env={**os.environ, "EDGEBENCH_HOME": str(regions_home)},
        )  # fmt: skip
        assert not check or told.returncode == 0, told.stderr
        return told

    verb.folder = folder
    return verb


@pytest.fixture(scope="module")
def made(run):
    return run.folder, json.loads(run("reproduce", *SMALL, "--json").stdout)


def test_a_table_is_computed_from_nothing(made):
    folder, told = made
    scores = told["route-ablations"]
    assert set(scores) == {"ppo"}
    assert scores["ppo"]["trap"]["score"]["value"] > 0.2
    page = (folder / "made" / "sample" / "route-ablations-2000" / "route-ablations.md").read_text(encoding="utf-8")
    assert "edgebench reproduce --table route-ablations --rows ppo --steps 2000 --seeds 1" in page
    assert f"{scores['ppo']['trap']['score']['value']:.3f}" in page
    for picture in ("curves", "profiles"):
        assert (folder / "made" / "sample" / "route-ablations-2000" / f"route-ablations-{picture}.png").is_file()


def test_what_is_there_is_kept_and_what_was_removed_is_played_again_alike(made, run):
    folder, told = made
    runs = folder / "made" / "sample" / "route-ablations-2000"
    weights = runs / "ppo" / "seed-0" / "weights.safetensors"
    written = weights.stat().st_mtime_ns
    (runs / "ppo" / "seed-0" / "scores.json").unlink()
    again = json.loads(run("reproduce", *SMALL, "--json").stdout)
    assert again == told
    assert weights.stat().st_mtime_ns == written


def test_a_run_that_another_table_has_made_is_taken_over_and_no_other(made, monkeypatch, regions_home):
    monkeypatch.setenv("EDGEBENCH_HOME", str(regions_home))
    out = made[0] / "made" / "sample"

    def of_methods(steps, row="ppo"):
        return Plan(TABLES["route-methods"].only([row]), out / f"route-methods-{steps}", "sample", 1, steps)

    assert take_over(of_methods(2001)) == []
    assert take_over(of_methods(2000, "a2c")) == []
    (folder,) = take_over(of_methods(2000))
    first = out / "route-ablations-2000" / "ppo" / "seed-0"
    assert (folder / "weights.safetensors").read_bytes() == (first / "weights.safetensors").read_bytes()
    assert of_methods(2000).training() == []
    assert len(of_methods(2000).playing()) == 1 + len(TABLES["route-methods"].agents)
    assert take_over(of_methods(2000)) == []


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"seeds": {"trap": 4}}, "played in trap under 4 scenario seeds, not 5"),
        ({"seeds": {"calm": 5}}, "played in trap under 0 scenario seeds, not 5"),
        ({"digests": {"s1": "0"}}, "played on another build of the regions"),
    ],
    ids=("seeds", "scenario", "build"),
)
def test_what_was_played_otherwise_is_refused(made, run, changed, wrong):
    path = made[0] / "made" / "sample" / "route-ablations-2000" / "ppo" / "seed-0" / "scores.json"
    kept = path.read_text(encoding="utf-8")
    path.write_text(json.dumps(json.loads(kept) | changed), encoding="utf-8")
    refused = run("reproduce", *SMALL, check=False)
    path.write_text(kept, encoding="utf-8")
    assert refused.returncode == 2
    assert wrong in refused.stderr
    assert "it is played again" in refused.stderr


def test_an_unknown_table_or_row_is_told_with_those_there_are(run):
    for words, known in (
        (("--table", "rout-methods"), "route-methods"),
        (("--table", "route-methods", "--rows", "pppo"), "did you mean 'ppo'"),
    ):
        refused = run("reproduce", *words, check=False)
        assert refused.returncode == 2
        assert known in refused.stderr
