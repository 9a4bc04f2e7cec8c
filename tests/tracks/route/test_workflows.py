"""`workflow="dag"`: the same network, workflows that are graphs."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from random_play import digest, play

import edgebench
from builders.pipeline import build_region
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS, REGISTERED, companion
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.vector import RouteVectorEnv

NETWORK = ("nodes", "links", "instances")
USERS = ["user_id", "split", "lat", "lon", "node_id", "quality_weight", "speed_weight"]
ROUTE = "EdgeBench/Route-S1-v0"


@pytest.fixture(scope="module")
def both_built(regions_home, tmp_path_factory):
    """A data folder with the standard regions and their companions; tests must not write into it."""
    folder = tmp_path_factory.mktemp("both")
    (folder / "processed" / "sample").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(folder))
        for name in REGIONS:
            (folder / "processed" / "sample" / name).symlink_to(regions_home / "processed" / "sample" / name)
            build_region(REGISTERED[f"{name}-dag"])
    return folder


@pytest.fixture
def both(both_built, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(both_built))
    return both_built


@pytest.mark.parametrize("name", REGIONS)
def test_a_companion_differs_in_its_workflows_alone(both, name):
    chains, graphs = edgebench.load(name), edgebench.load(f"{name}-dag")
    for table in NETWORK:
        assert chains.manifest["tables"][table] == graphs.manifest["tables"][table]
    assert chains.tasks("test")[USERS].equals(graphs.tasks("test")[USERS])
    changed = {
        key for key, value in graphs.manifest["spec"].items() if value != chains.manifest["spec"][key] and key != "name"
    }
    assert changed == {"family", "network_of", "workload"}
    shapes = {tuple(parents) for parents in graphs.tables["tasks"]["stage_parents"].to_pylist()}
    assert shapes == {(0, 1, 2, 4, 8), (0, 1, 1, 6), (0, 1, 1, 1), (0, 1, 1, 6, 8)}


@pytest.mark.parametrize("name", REGIONS)
def test_dag_is_the_companion_in_every_face(both, name):
    named = RouteEnv(f"{name}-dag")
    assert RouteEnv(name, workflow="dag").region.digest == named.region.digest
    made = gymnasium.make(f"EdgeBench/Route-{name.upper()}-v0", workflow="dag").unwrapped
    own_id = gymnasium.make(f"EdgeBench/Route-{name.upper()}-DAG-v0").unwrapped
    assert digest(play(made, seed=3)) == digest(play(own_id, seed=3)) == digest(play(named, seed=3))
    assert digest(play(named, seed=3)) != digest(play(RouteEnv(name), seed=3))


def test_the_vector_face_plays_the_same_graphs(both):
    single, many = RouteEnv("s1", workflow="dag", seed=4), gymnasium.make_vec(ROUTE, 2, workflow="dag", seed=4)
    assert isinstance(many, RouteVectorEnv) and many.region.name == "s1-dag"
    observed, _ = many.reset()
    steps = play(single, choose=lambda mask: int(mask.argmax()))
    for observation, reward, _ in steps[1:]:
        observed, rewards, *_ = many.step(observed["action_mask"].argmax(axis=1))
        assert rewards[0] == reward
        np.testing.assert_array_equal(observed["candidates"][0], observation["candidates"])


def test_gymnasiums_own_check_passes_on_graphs(both):
    check_env(gymnasium.make(ROUTE, workflow="dag").unwrapped)


@pytest.mark.parametrize("face", [RouteEnv, lambda region, **names: RouteVectorEnv(1, region, **names)])
def test_what_has_no_graphs_is_refused(both, face):
    assert face(edgebench.load("s1-dag"), workflow="dag").region.name == "s1-dag"
    assert face("s1-dag", workflow="dag").region.name == "s1-dag"
    with pytest.raises(EdgeBenchError, match=r"workflows of s1 are chains[\s\S]*load s1-dag"):
        face(edgebench.load("s1"), workflow="dag")
    for given in ("s1", edgebench.load("s1")):
        with pytest.raises(EdgeBenchError, match=r"unknown workflow 'dagg'[\s\S]*did you mean 'dag'"):
            face(given, workflow="dagg")


def test_a_companion_that_is_not_built_names_its_command(built_home):
    with pytest.raises(EdgeBenchError, match="edgebench build --region s1-dag"):
        RouteEnv("s1", workflow="dag")


def test_a_region_without_a_companion_stands_for_itself():
    assert companion("s1", "chain") == "s1" and companion("s1", "dag") == "s1-dag"
    assert companion("trap500", "dag") == "trap500" and companion("s1-dag", "dag") == "s1-dag"
