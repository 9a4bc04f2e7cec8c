"""Adding a track is adding a folder: one from outside the package is made, played, gated, ranked and documented.

It is that of docs/contributing/track.md, written out from there.
"""

import dataclasses
import importlib
import importlib.metadata
import sys
import warnings
from pathlib import Path

import gymnasium
import pytest
from click.testing import CliRunner
from gymnasium.utils.env_checker import check_env
from page_blocks import code_blocks

import edgebench
from edgebench import registration
from edgebench.cli import main
from edgebench.envs import make_parallel_env
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS, TRACKS
from edgebench.track_page import track_page

PAGE = Path(__file__).parents[1] / "docs" / "contributing" / "track.md"


@pytest.fixture(scope="module")
def toy_track(tmp_path_factory):
    """The record of the toy track, from a package made of the page's blocks."""
    folder = tmp_path_factory.mktemp("toy")
    for block in code_blocks(PAGE):
        if block.title:
            (folder / block.title).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.title).write_text(block.text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module("toy_track.track").TRACK
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy_track"]:
        del sys.modules[name]


def forget():
    TRACKS.pop("toy", None)
    for name in [name for name in gymnasium.registry if name.startswith("EdgeBench/Toy")]:
        del gymnasium.registry[name]


@pytest.fixture
def toy(toy_track, regions_home, tmp_path, monkeypatch):
    """The toy track, registered for one test, in a data folder of its own with s1."""
    (tmp_path / "processed" / "sample").mkdir(parents=True)
    (tmp_path / "processed" / "sample" / "s1").symlink_to(regions_home / "processed" / "sample" / "s1")
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    monkeypatch.setattr("edgebench.registry.REGIONS", {"s1": REGIONS["s1"]})
    edgebench.register_track(toy_track)
    yield toy_track
    forget()


@pytest.fixture
def run(toy):
    def call(*arguments):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


def test_it_is_made_by_gymnasium(toy):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make("EdgeBench/Toy-S1-v0").unwrapped)
    assert gymnasium.make("EdgeBench/Toy-v0", region="s1").unwrapped.region.name == "s1"


def test_from_evaluation_to_a_ranked_table(run, tmp_path):
    board = tmp_path / "leaderboards" / "toy" / "sample"
    for agent in ("random-valid", "first", "emptiest"):
        folder = tmp_path / "runs" / agent
        told = run("eval", agent, "--track", "toy", "--regions", "s1", "--out", folder)
        assert "room" in told
        run("validate", folder)
        run("submit", folder, "--name", agent)
    told = run("leaderboard", "--track", "toy")
    assert [line.split()[1] for line in told.splitlines() if "0." in line] == ["emptiest", "first", "random-valid"]
    page = (board / "leaderboard.md").read_text(encoding="utf-8")
    assert "| room | success | decision ms | failed |" in page
    assert sorted(path.name for path in (board / "trap").iterdir()) == ["emptiest", "first", "random-valid"]


def test_its_gate_is_measured(run):
    told = run("gate", "--track", "toy", "--regions", "s1")
    assert "rank correlation of reward and room" in told and "points lost by failing at once" in told
    assert "FAILS" not in told


def test_it_is_listed_with_its_agents(run):
    assert "Which of four sites has room?" in run("list", "tracks")
    agents = run("list", "agents", "--json")
    assert '"emptiest"' in agents and '"toy"' in agents


def test_it_has_a_page(toy):
    page = track_page(toy)
    for part in (
        "# Toy",
        "`Discrete(4)`",
        "| `room` | 0 | 1 |",
        "| `emptiest` |",
        "| 1001 | `ROOM` |",
        "the best site",
    ):
        assert part in page


def test_it_has_no_faces_it_does_not_name(toy):
    with pytest.raises(EdgeBenchError, match="the track toy has no parallel environment"):
        make_parallel_env("toy", "s1")


def test_an_installed_package_needs_no_import(toy_track, regions_home, monkeypatch):
    forget()
    monkeypatch.setenv("EDGEBENCH_HOME", str(regions_home))
    entry = importlib.metadata.EntryPoint("toy", "toy_track.track:TRACK", "edgebench.tracks")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: [entry])
    registration.load_tracks.cache_clear()
    try:
        assert edgebench.registry.track("toy") == toy_track
    finally:
        forget()
        monkeypatch.undo()
        registration.load_tracks.cache_clear()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Toy"}, "cannot name a track"),
        ({"name": "total"}, "cannot name a track"),
        ({"name": "a/b"}, "cannot name a track"),
        ({"name": "route"}, "there is a track 'route' already"),
        ({"metrics": ()}, "has no metric room, success"),
    ],
)
def test_a_record_that_cannot_be_a_track_is_refused(toy_track, changes, message):
    with pytest.raises(EdgeBenchError, match=message):
        edgebench.register_track(dataclasses.replace(toy_track, **changes))
    assert "toy" not in TRACKS


def test_nothing_in_the_package_knows_of_it(toy_track):
    package = Path(edgebench.__file__).parent
    assert not [path for path in package.rglob("*.py") if "toy_track" in path.read_text(encoding="utf-8")]
    assert "toy_track" in sys.modules
