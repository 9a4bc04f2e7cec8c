"""The Gymnasium face: Gymnasium's own check, episodes, masks, what is refused, what is common to all policies."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import edgebench  # noqa: F401  (registers)
from edgebench.errors import EdgeBenchError
from edgebench.registry import SCENARIOS
from edgebench.tracks.place.constants import EXPERTS, LAYERS, PLAN_EDITS, ROUTER_LOST_MS, SLOTS
from edgebench.tracks.place.devices import contiguous
from edgebench.tracks.place.edits import DELETE, REPLICATE, edit, is_valid, mark_valid
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.simulation import Simulation
from edgebench.tracks.place.track import TRACK
from reference_agents.place import contiguous as contiguous_agent
from reference_agents.place import random_valid

P, DEVICES = EXPERTS * LAYERS, 8


def play(env, agent, seed=0, pinned=None):
    """All that an episode gives."""
    agent.reset({"seed": seed})
    observed, info = env.reset(seed=seed, options=pinned)
    steps, over = [(observed, 0.0, info)], False
    while not over:
        observed, reward, terminated, over, info = env.step(agent.act(observed))
        assert not terminated
        steps.append((observed, reward, info))
    return steps


@pytest.fixture(scope="module")
def env(regions):
    return PlaceEnv(regions["s1"], split="test")


@pytest.mark.usefixtures("built_home")
@pytest.mark.parametrize("region", ["s1", "s4"])
def test_gymnasiums_own_check_passes_without_a_warning(region):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(TRACK.env_id(region)).unwrapped)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_random_valid_play_stays_inside_the_spaces_and_ends_truncated(regions, scenario):
    env = PlaceEnv(regions["s4"], scenario=scenario, split="val", privileged=True)
    steps = play(env, random_valid.Agent(), pinned={"window": 0, "seed": 0})
    assert all(env.observation_space.contains(observed) for observed, *_ in steps)
    summary = env.summary()
    assert len(steps) - 1 == PLAN_EDITS + SLOTS == summary["decisions"]
    assert summary.keys() == {metric.name for metric in TRACK.metrics} | {"reward", "decisions"}
    assert all(np.isfinite(value) for value in summary.values())
    assert all(metric.least <= summary[metric.name] <= metric.most for metric in TRACK.metrics)
    assert summary["reward"] == pytest.approx(SLOTS * (1.0 - 1.0 / summary["relative_speed"]))
    assert summary["reward"] == pytest.approx(sum(reward for _, reward, _ in steps))
    assert (summary["lost_ms"] > 0.0) == (scenario == "outage")
    assert (summary["trap_ms"] > 0.0) == (scenario != "calm")


def test_keeping_the_contiguous_placement_has_speed_1_and_earns_nothing(env):
    play(env, contiguous_agent.Agent(), pinned={"window": 2, "seed": 7})
    assert env.summary()["relative_speed"] == pytest.approx(1.0)
    assert env.summary()["reward"] == pytest.approx(0.0)
    assert env.summary()["loaded_gb"] == 0.0


def test_two_plays_of_a_seed_are_equal_and_of_two_are_not(env):
    first, same, other = (play(env, random_valid.Agent(), seed) for seed in (4, 4, 5))
    for one, another in zip(first, same, strict=True):
        assert one[1] == another[1]
        assert all((one[0][name] == another[0][name]).all() for name in one[0])
    assert [reward for _, reward, _ in first] != [reward for _, reward, _ in other]


def test_what_is_returned_is_the_callers(env):
    steps = play(env, random_valid.Agent(), 6)
    kept = [{name: value.copy() for name, value in observed.items()} for observed, *_ in steps]
    observed, info = env.reset(seed=6)
    for value in (*observed.values(), *(value for value in info.values() if isinstance(value, np.ndarray))):
        value[...] = 0
    again, info = env.reset(seed=6)
    assert all((again[name] == kept[0][name]).all() for name in again)
    assert info["history_routes"].any()
    for before, (observed, *_) in zip(kept, steps, strict=True):
        assert all((before[name] == observed[name]).all() for name in observed)


@pytest.mark.parametrize("scenario", ["trap", "outage", "jitter"])
def test_all_policies_meet_the_same_world(regions, scenario):
    env = PlaceEnv(regions["s1"], scenario=scenario)
    worlds, served = [], []
    for agent in (random_valid.Agent(), contiguous_agent.Agent()):
        steps = play(env, agent, pinned={"window": 0, "seed": 3})
        worlds.append(env._simulation.world)
        served.append([(info["routes"].tobytes(), info["origin"].tobytes()) for *_, info in steps if "routes" in info])
    assert all(np.array_equal(one, other) for one, other in zip(*worlds, strict=True))
    assert served[0] == served[1]
    assert len(served[0]) == SLOTS


def test_an_invalid_edit_changes_nothing_and_its_batch_waits(env):
    valid, invalid = [], []
    for steps, edit_of in ((valid, (0, REPLICATE, None)), (invalid, (0, DELETE, None))):
        observed, _ = env.reset(options={"window": 0, "seed": 1})
        home = int(observed["placement"][0].argmax())
        over = False
        while not over:
            observed, reward, _, over, info = env.step(np.array([edit_of[0], edit_of[1], home]))
            steps.append((reward, info.get("latency_ms", 0.0), observed["placement"].sum()))
    for (kept, quick, copies), (lost, slow, same) in zip(valid[PLAN_EDITS:], invalid[PLAN_EDITS:], strict=True):
        assert lost < kept
        assert slow == pytest.approx(quick + ROUTER_LOST_MS)
        assert copies == same == P
    assert env.summary()["success"] == 0.0
    assert env.summary()["relative_speed"] < 0.9


@pytest.mark.parametrize(
    "action",
    [0, [0, 1], [0.0, 1.0, 2.0], None, "abc", [[0, 1, 2]], [0, 1, float("nan")]],
    ids=repr,
)
def test_what_is_not_three_whole_numbers_is_refused(env, action):
    env.reset(seed=0)
    with pytest.raises(EdgeBenchError, match="the action is"):
        env.step(action)


@pytest.mark.parametrize("action", [[-1, 0, 0], [P, 0, 0], [0, 3, 0], [0, -1, 0], [0, 0, 8], [10**18, 1, 1]], ids=str)
def test_numbers_out_of_range_are_invalid_edits(env, action):
    observed, _ = env.reset(seed=0)
    later, *_ = env.step(np.array(action))
    assert (later["placement"] == observed["placement"]).all()


def test_a_step_or_summary_at_the_wrong_time_is_refused(regions):
    env = PlaceEnv(regions["s4"])
    for call in (env.summary, lambda: env.step(np.zeros(3, int))):
        with pytest.raises(EdgeBenchError, match="over"):
            call()
    play(env, contiguous_agent.Agent())
    with pytest.raises(EdgeBenchError, match="is over"):
        env.step(np.zeros(3, int))


@pytest.mark.parametrize("wrong", [{"scenario": "trab"}, {"split": "tset"}, {"seed": -1}])
def test_wrong_names_and_seeds_are_refused(regions, wrong):
    with pytest.raises(EdgeBenchError):
        PlaceEnv(regions["s1"], **wrong)


@pytest.fixture(scope="module")
def devices(regions):
    return Simulation(regions["s3"], SCENARIOS["trap"], "train").devices


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, P), st.integers(-1, 3), st.integers(-1, 8)), max_size=200))
def test_no_sequence_of_edits_breaks_memory_or_loses_an_expert(devices, edits):
    placement, mask = contiguous(devices), np.zeros(P * 3 * DEVICES, np.int8)
    for numbers in edits:
        before = placement.copy()
        mark_valid(placement, devices.room, mask)
        inside = all(0 <= number < most for number, most in zip(numbers, (P, 3, DEVICES), strict=True))
        valid = is_valid(placement, devices.room, *numbers)
        assert valid == (inside and bool(mask[np.ravel_multi_index(numbers, (P, 3, DEVICES))]) if inside else False)
        loads = edit(placement, *numbers) if valid else False
        assert loads == (placement > before).any()
        assert (placement.sum(axis=0) <= devices.room).all()
        assert (placement.sum(axis=1) >= 1).all()


def test_devices_are_as_unlike_as_the_nodes_and_hold_a_third_more_than_one_copy(regions):
    for region in regions.values():
        devices = Simulation(region, SCENARIOS["trap"], "train").devices
        compute = region.column("nodes", "compute")
        assert compute[devices.node[0]] == compute.min()
        assert compute[devices.node[-1]] == compute.max()
        assert (np.diff(compute[devices.node]) >= 0).all()
        assert 1.05 * P <= devices.room.sum() <= 1.6 * P
        assert (contiguous(devices).sum(axis=0) <= devices.room).all()
