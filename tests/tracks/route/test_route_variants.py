"""Every variant of the Route environment in every scenario, on one region; and a region of another scale."""

import copy
import pickle
import random
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from random_play import digest, play, valid_actions
from variants import VARIANTS

from edgebench.constants import WINDOW_TASKS
from edgebench.region import read_region
from edgebench.registry import REGIONS, SCENARIOS, TRACKS
from edgebench.tracks.route.env import RouteEnv, observation_space

EVERY_VARIANT = pytest.mark.parametrize("variant", VARIANTS)
EVERY_SCENARIO = pytest.mark.parametrize("scenario", SCENARIOS)
ROUTE = "EdgeBench/Route-S1-v0"


@pytest.fixture(scope="module")
def face(regions, variants_home):
    """An environment by scenario and variant, made when first asked for."""
    networks = {"chain": regions["s1"], "dag": read_region(variants_home / "processed" / "sample" / "s1-dag")}
    faces = {}

    def find(scenario, variant):
        if (scenario, variant) not in faces:
            arguments = VARIANTS[variant]
            network = networks[arguments.get("workflow", "chain")]
            faces[scenario, variant] = RouteEnv(network, scenario=scenario, **arguments)
        return faces[scenario, variant]

    return find


def fingerprint(steps):
    """The digest of an episode whose rewards may be vectors."""
    return digest([({**seen, "reward": np.asarray(reward, np.float64)}, 0.0, info) for seen, reward, info in steps])


@EVERY_SCENARIO
@EVERY_VARIANT
def test_every_variant_ends_inside_its_spaces_and_rewards_are_what_tasks_earn(face, scenario, variant):
    env = face(scenario, variant)
    steps = play(env, seed=3)
    for observation, _, info in steps:
        assert env.observation_space.contains(observation)
        assert (observation["action_mask"] == info["action_mask"]).all()
        assert ((info["instances"] >= 0) == info["action_mask"]).all()
        assert observation["action_mask"].any() == ("task" in info)
    assert {np.shape(reward) for _, reward, _ in steps[1:]} == {env.reward_space.shape}
    assert not any(part.any() for part in steps[-1][0].values())
    progress = env._simulation.state.progress
    rewards = np.sum([reward for _, reward, _ in steps[1:]], axis=0)
    if env.reward_space.shape:
        np.testing.assert_allclose(rewards, progress["earned"][:, 1:].sum(axis=0), rtol=0, atol=1e-4)  # float32
    else:
        assert rewards == pytest.approx(progress["utility"].sum(), abs=1e-9)
    assert env.summary()["reward"] == pytest.approx(WINDOW_TASKS * env.summary()["utility"], abs=1e-9)


@EVERY_SCENARIO
@EVERY_VARIANT
def test_every_variant_repeats_its_episodes_copied_or_not_and_draws_nothing(face, scenario, variant):
    env = face(scenario, variant)
    before = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    of_seed = fingerprint(play(env, seed=11))
    assert of_seed == fingerprint(play(env, seed=11)) != fingerprint(play(env, seed=12))
    env.reset(seed=6)
    for _ in range(40):
        env.step(int(env.action_masks().argmax()))
    copied = copy.deepcopy(env)
    tails = [fingerprint(rest_of(duplicate)) for duplicate in (copied, env)]
    assert tails[0] == tails[1]
    assert fingerprint(play(pickle.loads(pickle.dumps(copied)), seed=11)) == of_seed  # noqa: S301
    after = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    assert before[0] == after[0]
    np.testing.assert_equal(before[1], after[1])


def rest_of(env):
    """The rest of an episode."""
    choose, over, steps = valid_actions(6), False, []
    while not over:
        observation, reward, over, _, info = env.step(choose(env.action_masks()))
        steps.append((observation, reward, info))
    return steps


@EVERY_SCENARIO
def test_what_is_seen_and_how_it_is_paid_changes_nothing_that_happens(face, scenario):
    """The same instances are chosen under every variant of the same workflows: the same utilities come of it."""
    for workflow in ("", "dag"):
        utilities = []
        for variant in VARIANTS:
            if variant.endswith("dag") == bool(workflow):
                env = face(scenario, variant)
                play(env, options={"window": 1, "seed": 2}, choose=lambda mask, env=env: lowest_instance(env))
                utilities.append(env._simulation.state.progress["utility"].copy())
        assert len(utilities) == 8
        assert utilities[0].any()
        assert all((utility == utilities[0]).all() for utility in utilities)


def lowest_instance(env):
    """The action that means the lowest-numbered instance of those that are candidates of the decision."""
    simulation = env._simulation
    stage, node = simulation.seen.place[2:4]
    wanted = simulation.tasks[simulation.seen.place[0]]["stage_type"][stage]
    offered = simulation.topology.candidates[node, wanted]
    return int(np.flatnonzero(simulation.seen.instances == offered[offered >= 0].min())[0])


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if "vector" not in variant])
def test_gymnasiums_own_check_passes_every_variant_without_a_warning(variants_there, variant):
    """But for vector rewards: `check_env` compares those of two steps as one number."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(ROUTE, **VARIANTS[variant]).unwrapped)


@EVERY_VARIANT
def test_the_passive_checks_of_make_warn_of_vector_rewards_alone(variants_there, variant):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if "vector" in variant:
            warnings.filterwarnings("ignore", r".*The reward returned by `step\(\)` must be a float, int")
        env = gymnasium.make(ROUTE, **VARIANTS[variant])
        assert env.spec.kwargs | VARIANTS[variant] == env.spec.kwargs
        assert not play(env, seed=1)[-1][0]["task"].any()


# --- a scale -------------------------------------------------------------------------------------


def test_a_large_region_has_the_spaces_of_s1_and_its_episodes_end(variants_there):
    small = gymnasium.make(ROUTE)
    large = gymnasium.make("EdgeBench/Route-TRAP500-v0")
    check_env(large.unwrapped)
    assert large.observation_space == small.observation_space
    assert large.action_space == small.action_space
    steps = play(large, seed=1)
    assert all(large.observation_space.contains(observation) for observation, *_ in steps)
    assert large.unwrapped.summary()["success"] > 0.0


def test_a_large_region_in_full_has_a_column_an_instance(variants_there):
    env = RouteEnv("trap500", view="full", privileged=True)
    types = np.array(env.region.tables["instances"]["model_type"].to_pylist())
    assert env.action_space.n == types.size > 1000
    observation, info = env.reset(seed=2)
    for _ in range(60):
        assert env.observation_space.contains(observation)
        wanted = types == env.region.model_types[info["stage_types"][info["stage"]]]
        np.testing.assert_array_equal(observation["action_mask"], wanted)
        observation, _, _, _, info = env.step(int(np.flatnonzero(wanted)[-1]))


@pytest.mark.parametrize("region", [*(f"{name}-dag" for name in REGIONS), "trap500"])
def test_the_ids_of_other_families_pass_the_checks_too(variants_home, monkeypatch, region):
    """Of the registered regions trap1000 and trap2000 alone are left out: they differ from trap500 in size."""
    monkeypatch.setenv("EDGEBENCH_HOME", str(variants_home))
    env = gymnasium.make(TRACKS["route"].env_id(region)).unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env)
    assert env.observation_space == observation_space()
    first, again = (play(env, seed=5) for _ in range(2))
    assert digest(first) == digest(again)
    assert sum(reward for _, reward, _ in first) == pytest.approx(WINDOW_TASKS * env.summary()["utility"], abs=1e-9)
