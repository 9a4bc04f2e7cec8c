"""A region of one's own: built from options, a TOML file or a polygon, then known to every verb by its name."""

import gzip
import json
import shutil

import gymnasium
import pytest

import edgebench
from builders.sample import sample_path
from edgebench.registry import TRACKS
from edgebench.schema import TABLES

PLACE = ("--mcc", "228", "--nets", "1,2,3", "--nodes", "12")
# No cell has five decimals, so that none lies on the line, which belongs to either side of a polygon.
BOX = ("--bbox", "6.60001,46.30001,8.80001,47.60001")
TEACHING = ("--name", "bern", *PLACE, *BOX)
CORNERS = [6.60001, 46.30001, 8.80001, 47.60001]
RING = [[CORNERS[east], CORNERS[north]] for east, north in ((0, 1), (2, 1), (2, 3), (0, 3), (0, 1))]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The cells of the sample of s1, as a user's file."""
    path = tmp_path_factory.mktemp("cells") / "mine-20260131.csv"
    path.write_bytes(gzip.decompress(sample_path("s1").read_bytes()))
    return path


@pytest.fixture(scope="module")
def bern(tmp_path_factory, cells):
    """A data folder in which bern of the edition `mine` is built."""
    from click.testing import CliRunner

    from edgebench.cli import main

    folder = tmp_path_factory.mktemp("bern") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(folder))
        arguments = ["build", *TEACHING, "--cells", str(cells), "--edition", "mine"]
        result = CliRunner().invoke(main, arguments, prog_name="edgebench")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def with_bern(bern, monkeypatch):
    """Use that folder; tests must not write regions into it."""
    monkeypatch.setenv("EDGEBENCH_HOME", str(bern))
    return bern


def manifest_of(home, edition="mine"):
    return json.loads((home / "processed" / edition / "bern" / "manifest.json").read_text())


def test_the_manifest_holds_the_whole_specification(with_bern):
    manifest = manifest_of(with_bern)
    assert manifest["edition"] == "mine" and manifest["source"]["dump_date"] == "2026-01-31"
    assert manifest["spec"]["bbox"] == CORNERS and manifest["spec"]["family"] == "own"
    assert manifest["files"] == {} and manifest["statistics"]["nodes"] == 12
    assert set(manifest["spec"]) >= {"nodes_by", "links_by", "placement", "traps", "workload", "polygon"}


def test_options_toml_and_polygon_give_the_same_region(run, run_json, home, tmp_path, cells, bern):
    (tmp_path / "city.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [RING]}))
    spec = tmp_path / "bern.toml"
    digest = manifest_of(bern)["digest"]
    (built,) = run_json("build", *TEACHING, "--cells", cells, "--edition", "a", "--write-spec", spec)
    assert built["digest"] == digest
    (built,) = run_json("build", "--spec", spec, "--cells", cells, "--edition", "b")
    assert built["digest"] == digest and built["spec"] == manifest_of(bern)["spec"]
    ring = ("--polygon", tmp_path / "city.geojson")
    (built,) = run_json("build", "--name", "bern", *PLACE, *ring, "--cells", cells, "--edition", "c")
    assert built["spec"]["bbox"] == CORNERS and len(built["spec"]["polygon"]) == 4
    assert built["digest"] == digest
    assert built["files"]["polygon"]["file"] == "city.geojson" and len(built["files"]["polygon"]["sha256"]) == 64


def test_the_verbs_know_it_by_name(run, run_json, with_bern, cells, tmp_path):
    listed = {row["name"]: row for row in run_json("list", "regions")["regions"]}
    ids = ", ".join(track.any_env_id for track in TRACKS.values())
    assert listed["bern"]["editions built"] == "mine" and listed["bern"]["environment"] == ids
    assert run_json("show", "bern", "--edition", "mine")["region"] == "bern"
    checks = run_json("check", "bern", "--edition", "mine", "--cells", cells)
    assert [check["table"] for check in checks] == list(TABLES) and all(check["same"] for check in checks)
    assert run_json("diff", "mine/bern", str(with_bern / "processed" / "mine" / "bern"))["same"]


def test_packed_here_it_is_added_there(run, with_bern, tmp_path, monkeypatch):
    archive = tmp_path / "bern.zip"
    assert run("pack", "bern", "--edition", "mine", "-o", archive).exit_code == 0
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "there"))
    added = run("add", archive)
    assert added.exit_code == 0, added.stderr
    assert edgebench.load("bern", edition="mine").digest == manifest_of(with_bern)["digest"]


def test_from_evaluation_to_a_board_of_its_own(run, run_json, bern, home):
    shutil.copytree(bern, home)
    arguments = ("--regions", "bern", "--edition", "mine")
    for agent in ("nearest", "random-valid"):
        result = run("eval", agent, *arguments, "--out", home / "runs" / agent)
        assert result.exit_code == 0, result.output
        entered = run("submit", home / "runs" / agent, "--name", agent)
        assert entered.exit_code == 0, entered.output
    records = run_json("leaderboard", "--edition", "mine")
    assert [record["name"] for record in records] == ["nearest", "random-valid"]
    assert run("validate", home / "leaderboards" / "route" / "mine" / "trap" / "nearest").exit_code == 0


def test_an_environment_is_made_by_name(with_bern):
    environment = gymnasium.make("EdgeBench/Route-v0", region="bern", edition="mine")
    observation, _ = environment.reset(seed=0)
    assert environment.observation_space.contains(observation)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("eval", "nearest", "--regions", "brn", "--edition", "mine"), "did you mean 'bern'?"),
        (("eval", "nearest", "--regions", "trap50"), "did you mean 'trap500'?"),
        (("eval", "nearest", "--regions", ","), "no region named"),
        (("eval", "nearest", "--regions", "bern"), "it is built from other cells: --edition mine"),
        (("gate", "--regions", "bern"), "it is built from other cells: --edition mine"),
        (("tune", "--regions", "bern"), "it is built from other cells: --edition mine"),
        (("leaderboard", "--regions", "bern,s1", "--edition", "mine"), "regions of several families"),
        (("check", "bern", "--edition", "mine"), "its cells are needed"),
        (("build", *TEACHING), "edgebench fetch --mcc 228"),
        (("build", "--name", "bern", "--region", "s1"), "a registered region takes no options of one's own"),
        (("build", "--region", "trap500", "--nodes", "9"), "a registered region takes no options of one's own"),
        (("build",), "which regions?"),
        (("build", "--region", "s1", "--write-spec", "s1.toml"), "registered"),
        (("build", "--spec", "no-such-file.toml"), "there is no such file where: no-such-file.toml mend:"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_told_with_the_way_out(run, with_bern, arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_bad_options_are_told_at_once(run, home, cells):
    result = run("build", "--name", "s1", "--mcc", "228,x", "--bbox", "7,46,8", "--nodes", "2", "--compute", "1,2",
                 "--links-by", "delaunay", "--experts", "70", "--cells", cells)  # fmt: skip
    assert result.exit_code == 2 and "7 errors" in result.stderr, result.stderr
    for key in ("name", "mcc[1]", "bbox[3]", "nodes", "compute", "links_by", "workload.experts"):
        assert f"\n  {key}: " in result.stderr
    assert not home.exists()


def test_fetched_cells_are_found(run_json, home, cells, bern):
    raw = home / "raw"
    raw.mkdir(parents=True)
    with gzip.open(raw / "228.csv.gz", "wb") as packed:
        packed.write(cells.read_bytes())
    (built,) = run_json("build", *TEACHING)
    assert built["edition"] == "cells" and built["source"]["file"] == "228.csv.gz"
    assert built["digest"] == manifest_of(bern)["digest"]


def test_the_same_name_for_another_specification_is_refused(run, bern, home, cells):
    shutil.copytree(bern, home)
    built = ("build", *TEACHING, "--cells", cells, "--edition", "mine")
    assert run(*built).exit_code == 0
    result = run(*built, "--mean-degree", "4")
    assert result.exit_code == 2 and "another specification" in result.stderr and "another --name" in result.stderr
    assert run(*built, "--mean-degree", "3", "--force").exit_code == 0


def test_a_damaged_manifest_does_not_hide(run, bern, home):
    shutil.copytree(bern, home)
    path = home / "processed" / "mine" / "bern" / "manifest.json"
    path.write_text("{")
    for arguments in (("list", "regions"), ("show", "bern", "--edition", "mine")):
        result = run(*arguments)
        assert result.exit_code == 2 and str(path) in "".join(result.stderr.split("\n")), result.output


def test_the_trap_scales_are_known_by_name_and_left_out_of_all(run, home, monkeypatch):
    built = []
    monkeypatch.setattr("builders.pipeline.build_region", lambda spec, **_: built.append(spec.name) or 1 / 0)
    for arguments in (("--region", "trap500"), ("--all",)):
        assert isinstance(run("build", *arguments).exception, ZeroDivisionError)
    assert built == ["trap500", "s1"]
