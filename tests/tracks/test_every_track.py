"""One sweep over every registered track: what holds of all of them, whatever they ask."""

import copy
import json
import math
import os
import pickle
import random
import re
import subprocess
import sys
import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from track_play import Chooser, digest, play

from edgebench.constants import EVAL_SEEDS, GATE_SEEDS
from edgebench.envs import make_env, make_parallel_env
from edgebench.errors import EdgeBenchError
from edgebench.harness.actions import action_problem
from edgebench.harness.agents import reference_agents, resolve_agent
from edgebench.harness.gate import ZERO, GatePlan
from edgebench.harness.references import FROZEN, bounds_of
from edgebench.harness.rollout import fixed_episodes
from edgebench.registry import DEFAULT_SCENARIO, REGIONS, REGISTERED, SAMPLE_EDITION, SCENARIOS, TRACKS
from edgebench.sim import counter
from edgebench.track import SUCCESS, named
from edgebench.track_page import track_page

ROOT = Path(__file__).parents[2]
EVERY_TRACK = pytest.mark.parametrize("name", sorted(TRACKS))
EVERY_ID = pytest.mark.parametrize(
    "id_", sorted(track.env_id(region) for track in TRACKS.values() for region in REGIONS)
)
EVERY_CASE = pytest.mark.parametrize(
    ("name", "region", "scenario"),
    [(name, "s1", scenario) for name in sorted(TRACKS) for scenario in SCENARIOS]
    + [(name, "s4", "trap") for name in TRACKS],
)
PINNED = {"window": 1, "seed": 5}
pytestmark = pytest.mark.usefixtures("built_home")


@pytest.fixture(scope="module")
def made(regions):
    """Environments by track, region and scenario, made once."""
    kept = {}

    def make(name, region="s1", scenario="trap"):
        if (name, region, scenario) not in kept:
            kept[name, region, scenario] = make_env(name, regions[region], scenario=scenario, split="test")
        return kept[name, region, scenario]

    return make


def test_every_track_has_an_id_for_every_region():
    named = {track.env_id(region) for track in TRACKS.values() for region in REGISTERED}
    registered = {name for name in gymnasium.registry if name.startswith("EdgeBench/")}
    assert registered == named | {track.any_env_id for track in TRACKS.values()}


def test_the_id_without_a_region_takes_any_region():
    for track in TRACKS.values():
        environment = gymnasium.make(track.any_env_id, region="s4", edition=SAMPLE_EDITION)
        assert environment.unwrapped.region.name == "s4"


@EVERY_ID
def test_gymnasiums_own_check_passes_without_a_warning(id_):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(id_).unwrapped)


@EVERY_CASE
def test_random_play_ends_inside_the_spaces_with_all_figures(made, name, region, scenario):
    env = made(name, region, scenario)
    steps = play(env, options=PINNED)
    assert all(env.observation_space.contains(observation) for observation, _, _ in steps)
    summary, track = env.summary(), TRACKS[name]
    assert summary.keys() == {figure.name for figure in track.figures} - {"decision_cpu_ms"}
    for figure in track.figures[:-1]:
        assert math.isfinite(summary[figure.name]), figure.name
        assert figure.least - 1e-9 <= summary[figure.name] <= figure.most + 1e-9, figure.name
    assert summary["decisions"] == len(steps) - 1
    assert summary["reward"] == pytest.approx(sum(reward for _, reward, _ in steps), rel=1e-6, abs=1e-6)
    assert summary[track.metric] >= track.floor


@EVERY_CASE
def test_masks_are_told_twice_and_allow_something(made, name, region, scenario):
    env = made(name, region, scenario)
    for observation, _, info in play(env, options=PINNED, most=60)[:-1]:
        mask = observation["action_mask"]
        assert mask.dtype == np.int8 and mask.any() and (mask == info["action_mask"]).all()
        action = Chooser(1)(env.action_space, mask)
        assert action_problem(env.action_space, mask, action) is None


@EVERY_CASE
def test_an_episode_is_its_seeds_alone(made, name, region, scenario):
    env = made(name, region, scenario)
    first = digest(play(env, options=PINNED))
    play(env, options={"window": 0, "seed": 1}, choose=Chooser(7), most=25)
    assert digest(play(env, options=PINNED)) == first
    if scenario != "calm":  # there a scenario's seed may decide nothing
        assert digest(play(env, options=PINNED | {"seed": 6})) != first
    assert digest(play(env, options=PINNED | {"window": 2})) != first


@EVERY_TRACK
def test_splits_and_scenarios_differ(regions, name):
    seen = [
        digest(play(make_env(name, regions["s1"], scenario=scenario, split=split), options={"window": 0, "seed": 3}))
        for scenario, split in [*((scenario, "test") for scenario in SCENARIOS), ("trap", "val"), ("trap", "train")]
    ]
    assert len(set(seen)) == len(seen)


def test_processes_of_different_hash_seeds_agree(made):
    code = f"""if True:
        import edgebench
        from edgebench.envs import make_env
        from track_play import digest, play
        for track in {sorted(TRACKS)}:
            print(digest(play(make_env(track, edgebench.load("s1"), split="test"), options={PINNED})))"""
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    here = [digest(play(made(track), options=PINNED)) for track in sorted(TRACKS)]
    for hash_seed in ("0", "4242"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
        told = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stderr
        assert told.stdout.split() == here


@EVERY_TRACK
def test_no_step_touches_a_global_generator(made, name):
    before = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    play(made(name), options=PINNED)
    after = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    assert before[0] == after[0]
    np.testing.assert_equal(before[1], after[1])


@EVERY_TRACK
def test_what_is_returned_is_the_callers(made, name):
    env = made(name)
    steps = play(env, options=PINNED, most=40)
    kept = digest(steps)
    for observation, _, _ in steps[:1]:
        for part in observation.values():
            part.fill(1)
    assert digest(play(env, options=PINNED, most=40)) == kept


@EVERY_TRACK
@pytest.mark.parametrize(
    "duplicate",
    [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))],  # noqa: S301
    ids=("copy", "pickle"),
)
def test_a_copy_goes_on_as_the_original_and_apart_from_it(made, name, duplicate):
    original = made(name)
    play(original, options=PINNED, most=20)
    mask = original.reset(options=PINNED)[1]["action_mask"]
    choose = Chooser(3)
    for _ in range(15):
        mask = original.step(choose(original.action_space, mask))[-1]["action_mask"]
    copied, tails = duplicate(original), []
    for env in (copied, original):
        choose, now, over, tail = Chooser(4), mask, False, []
        while not over:
            observation, reward, terminated, truncated, info = env.step(choose(env.action_space, now))
            now, over = info["action_mask"], terminated or truncated
            tail.append((observation, reward, info))
        tails.append(digest(tail))
    assert tails[0] == tails[1] and copied.summary() == original.summary()


@EVERY_TRACK
def test_unpinned_episodes_follow_from_the_seed(regions, name):
    env_type = named(TRACKS[name].env)
    first, same, other = (env_type(regions["s1"], seed=seed) for seed in (3, 3, 4))
    episodes = [[digest(play(env, most=30)) for _ in range(2)] for env in (first, same, other)]
    assert episodes[0] == episodes[1]
    assert len({episodes[0][0], episodes[0][1], episodes[2][0]}) == 3
    assert digest(play(other, seed=3, most=30)) == digest(play(first, seed=3, most=30))


@EVERY_TRACK
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": -1}, "no window -1"),
        ({"window": 10**6}, "no window 1000000"),
        ({"window": 0.5}, "window is 0.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**63}, f"seed is {2**63}"),
        ({"sede": 1}, "unknown reset option 'sede'"),
    ],
    ids=str,
)
def test_a_wrong_reset_option_is_refused(made, name, options, message):
    with pytest.raises(EdgeBenchError, match=message):
        made(name).reset(options=options)


@EVERY_TRACK
def test_wrong_names_and_the_wrong_time_are_refused(regions, name):
    env_type = named(TRACKS[name].env)
    for wrong in ({"scenario": "trab"}, {"split": "tset"}):
        with pytest.raises(EdgeBenchError, match="unknown"):
            env_type(regions["s1"], **wrong)
    env = env_type(regions["s1"])
    action = Chooser(0)(env.action_space, np.ones(1, np.int8))
    with pytest.raises(EdgeBenchError, match="over"):
        env.step(action)
    play(env, seed=0, most=5)
    with pytest.raises(EdgeBenchError, match="not over"):
        env.summary()
    play(env, seed=0)
    with pytest.raises(EdgeBenchError, match="over"):
        env.step(action)


@EVERY_TRACK
def test_privileged_adds_labels_and_changes_nothing_else(regions, name):
    plain, knowing = (make_env(name, regions["s1"], split="test", privileged=flag) for flag in (False, True))
    steps, labelled = play(plain, options=PINNED), play(knowing, options=PINNED)
    assert knowing.observation_space.contains(labelled[0][0])
    told = [observation.pop("labels") for observation, _, _ in labelled]
    assert "labels" not in steps[0][0] and digest(labelled) == digest(steps)
    assert any(label.any() for label in told)


@EVERY_TRACK
def test_feature_axes_are_the_same_in_every_region(made, name):
    """Of each part of the observation at least one axis, that of its features, is as long in s4 as in s1."""
    here, there = (made(name, region).observation_space for region in ("s1", "s4"))
    assert here.keys() == there.keys()
    for part in here:
        assert here[part].dtype == there[part].dtype and len(here[part].shape) == len(there[part].shape)
        if part != "action_mask" and len(here[part].shape) > 1:
            assert any(a == b for a, b in zip(here[part].shape, there[part].shape, strict=True)), part


@EVERY_TRACK
def test_an_invalid_action_never_pays_and_never_crashes(made, name):
    env = made(name)
    valid = sum(reward for _, reward, _ in play(env, options=PINNED))
    bad = {
        "Discrete": lambda space: -1,
        "MultiDiscrete": lambda space: np.asarray(space.nvec),
        "Box": lambda space: np.full(space.shape, np.nan, np.float32),
    }[type(env.action_space).__name__]

    def fail(space, mask):
        return bad(space)

    steps = play(env, options=PINNED, choose=fail)
    assert all(math.isfinite(reward) for _, reward, _ in steps)
    assert sum(reward for _, reward, _ in steps) <= valid
    assert all(math.isfinite(value) for value in env.summary().values())


@EVERY_TRACK
@pytest.mark.parametrize(
    ("scenario", "seeds"), [*((scenario, EVAL_SEEDS) for scenario in sorted(SCENARIOS)), (DEFAULT_SCENARIO, GATE_SEEDS)]
)
def test_the_frozen_references_are_there_and_in_order(regions, name, scenario, seeds):
    kept = json.loads(FROZEN.read_text(encoding="utf-8"))
    for region in regions.values():
        found = kept[region.digest][f"{name}/{scenario}/test/{seeds}"]
        assert math.isfinite(found["random"]) and found["random"] < found["bound"]


@EVERY_TRACK
def test_the_bound_is_of_the_episode_and_above_random_play(regions, made, name):
    env = made(name)
    episodes = [(0, 0), (1, 5), (1, 6)]
    bound = bounds_of(TRACKS[name])
    bounds = bound(regions["s1"], scenario=SCENARIOS["trap"], split="test", episodes=episodes)
    assert bounds.shape == (3,) and np.isfinite(bounds).all()
    again = bound(regions["s1"], scenario=SCENARIOS["trap"], split="test", episodes=episodes[1:2])
    assert again[0] == pytest.approx(bounds[1], rel=1e-9)
    for (window, seed), value in zip(episodes, bounds, strict=True):
        play(env, options={"window": window, "seed": seed})
        assert env.summary()[TRACKS[name].metric] < value


@EVERY_TRACK
def test_the_record_is_whole(name):
    track = TRACKS[name]
    plan = named(track.gate)
    assert isinstance(plan, GatePlan) and plan.trivial and len(plan.heuristics) > 1 and plan.failing
    agents = reference_agents(track.agents)
    assert {ZERO, *plan.trivial, *plan.heuristics} <= set(agents)
    for agent in agents:
        source = resolve_agent(agent, name)
        assert source.kind == "reference" and source.target.startswith(f"{track.agents}.")
    names = [figure.name for figure in track.figures]
    assert len(names) == len(set(names)) and {track.metric, SUCCESS} <= set(names)
    assert all(len(figure.meaning) > 5 for figure in track.figures)
    assert isinstance(make_parallel_env(name, "s1").metadata["name"], str)


@EVERY_TRACK
def test_a_track_is_a_folder_of_the_same_parts(name):
    folder = TRACKS[name].folder
    parts = {
        "__init__",
        "track",
        "state",
        "generator",
        "physics",
        "metrics",
        "bound",
        "gate",
        "features",
        "env",
        "parallel",
    }
    assert parts <= {path.stem for path in folder.glob("*.py")}
    for path in folder.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 500, path


@EVERY_TRACK
def test_every_field_of_a_state_tells_its_shape(name):
    """A field of a NamedTuple in `state.py` that is an array has a comment that begins with its shape."""
    text = (TRACKS[name].folder / "state.py").read_text(encoding="utf-8")
    fields = re.findall(r"^    \w+: NDArray\[[^\]]*\]\s*(.*)$", text, re.MULTILINE)
    assert fields and all(comment.startswith("# (") for comment in fields), fields


def test_no_two_streams_share_a_number_or_a_name():
    streams = [*counter.STREAMS]
    for track in TRACKS.values():
        streams += named(track.streams) if track.streams else ()
    assert len({stream.number for stream in streams}) == len({stream.name for stream in streams}) == len(streams)


@EVERY_TRACK
def test_its_page_is_what_its_parts_say(name):
    page = ROOT / "docs" / "tracks" / f"{name}.md"
    assert page.read_text(encoding="utf-8") == track_page(TRACKS[name])


@EVERY_TRACK
def test_evaluation_episodes_are_those_of_the_windows(made, name):
    env = made(name)
    assert len(fixed_episodes(env.windows, EVAL_SEEDS)) == 20
    assert isinstance(env.action_space, spaces.Discrete | spaces.MultiDiscrete | spaces.Box)
