"""The vector face is the single one, many times."""

import copy
import os
import pickle
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import iterate
from variants import VARIANTS

from edgebench.errors import EdgeBenchError
from edgebench.region import read_region
from edgebench.registry import SCENARIOS
from edgebench.sim import counter
from edgebench.tracks.route import batch
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.vector import RouteVectorEnv

pytestmark = pytest.mark.usefixtures("built_home")
OBSERVED = ("candidates", "task", "action_mask")
ROUTE = "EdgeBench/Route-S4-v0"


def valid_actions(masks, step):
    """One valid action a row, drawn by hash."""
    return np.array([valid(mask, counter.uniform(7, 1, row, step)) for row, mask in enumerate(masks)])


def valid(mask, draw):
    return np.flatnonzero(mask)[int(draw * mask.sum())] if mask.any() else 0


def trail(envs, *, seed, steps):
    """Observations, rewards and ends of `steps` random valid steps."""
    observed, _ = envs.reset(seed=seed)
    seen = [(observed, np.zeros(envs.num_envs), np.zeros(envs.num_envs, bool))]
    for step in range(steps):
        observed, rewards, over, truncated, _ = envs.step(valid_actions(observed["action_mask"], step))
        assert not truncated.any()
        seen.append((observed, rewards, over))
    return seen


def assert_equal(ours, theirs):
    for (observed, rewards, over), (expected, their_rewards, their_over) in zip(ours, theirs, strict=True):
        assert observed.keys() == expected.keys()
        for name in expected:
            np.testing.assert_array_equal(observed[name], expected[name])
        np.testing.assert_array_equal(rewards, their_rewards)
        np.testing.assert_array_equal(over, their_over)


@pytest.mark.parametrize("region", ["s1", "s2", "s3", "s4"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_equals_gymnasiums_synchronous_vector_of_single_environments(regions, region, scenario):
    region = regions[region]
    sync = SyncVectorEnv([lambda: RouteEnv(region, scenario=scenario)] * 3)
    assert_equal(trail(RouteVectorEnv(3, region, scenario=scenario), seed=5, steps=700), trail(sync, seed=5, steps=700))


class Singles:
    """Environments one by one, without infos; `SyncVectorEnv` takes no vector rewards."""

    def __init__(self, envs):
        self.envs, self.num_envs, self.over = envs, len(envs), np.zeros(len(envs), bool)

    def reset(self, *, seed):
        return self._side_by_side([env.reset(seed=seed + row)[0] for row, env in enumerate(self.envs)]), {}

    def step(self, actions):
        observed, rewards, over, truncated = zip(
            *(
                (env.reset()[0], np.zeros(env.reward_space.shape), False, False) if was_over else env.step(action)[:4]
                for env, was_over, action in zip(self.envs, self.over, actions, strict=True)
            ),
            strict=True,
        )
        self.over = np.array(over)
        return self._side_by_side(observed), np.array(rewards), self.over, np.array(truncated), {}

    def _side_by_side(self, observed):
        return {name: np.stack([one[name] for one in observed]) for name in observed[0]}


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "plain"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_equals_single_environments_in_every_variant(regions, dag, scenario, variant):
    arguments = {"scenario": scenario, **VARIANTS[variant]}
    region = dag if "dag" in variant else regions["s1"]
    singles = [lambda: RouteEnv(region, **arguments)] * 2
    is_plain = "reward" not in arguments
    one_by_one = SyncVectorEnv(singles) if is_plain else Singles([make() for make in singles])
    ours = trail(RouteVectorEnv(2, region, **arguments), seed=5, steps=300)
    assert any(over.any() for _, _, over in ours[:-1])
    assert_equal(ours, trail(one_by_one, seed=5, steps=300))


@pytest.fixture(scope="module")
def dag(variants_home):
    """The network of s1 with workflows that are graphs."""
    return read_region(variants_home / "processed" / "sample" / "s1-dag")


def test_equals_the_asynchronous_vector(built_home):
    other = AsyncVectorEnv([lambda: gymnasium.make(f"edgebench:{ROUTE}")] * 2)  # a spawned process has imported nothing
    try:
        assert_equal(trail(gymnasium.make_vec(ROUTE, 2), seed=9, steps=300), trail(other, seed=9, steps=300))
    finally:
        other.close()


def test_many_threads_and_one_agree(regions, monkeypatch):
    monkeypatch.setattr("edgebench.sim.threads._allowed", [2])
    count = batch.PARALLEL_FROM
    many = trail(RouteVectorEnv(count, regions["s4"]), seed=3, steps=300)
    few = [trail(RouteVectorEnv(1, regions["s4"]), seed=3 + row, steps=0)[0] for row in range(count)]
    for name in OBSERVED:
        np.testing.assert_array_equal(many[0][0][name], np.concatenate([first[0][name] for first in few]))
    serial = RouteVectorEnv(count - 1, regions["s4"])
    for (observed, rewards, over), (expected, theirs, ended) in zip(
        trail(serial, seed=3, steps=300), many, strict=True
    ):
        for name in OBSERVED:
            np.testing.assert_array_equal(observed[name], expected[name][:-1])
        np.testing.assert_array_equal(rewards, theirs[:-1])
        np.testing.assert_array_equal(over, ended[:-1])


def test_the_threads_of_torch_are_left_alone(built_home):
    code = (
        "import torch, gymnasium, edgebench; before = torch.get_num_threads();"
        " envs = gymnasium.make_vec('EdgeBench/Route-S1-v0', num_envs=64, vectorization_mode='vector_entry_point');"
        " envs.reset(seed=0); envs.step(envs.unwrapped.action_masks().argmax(axis=1));"
        " assert torch.get_num_threads() == before == 1"
    )
    pytest.importorskip("torch")
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_make_vec_gives_it_with_its_autoreset_mode_stated():
    envs = gymnasium.make_vec(ROUTE, num_envs=4, vectorization_mode="vector_entry_point", scenario="calm")
    assert isinstance(envs, RouteVectorEnv)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert (envs.region.name, envs.scenario.name, envs.num_envs) == ("s4", "calm", 4)
    observed, info = envs.reset(seed=0)
    assert envs.observation_space.contains(observed)
    np.testing.assert_array_equal(observed["action_mask"], info["action_mask"])
    np.testing.assert_array_equal(envs.action_masks(), info["instances"] >= 0)
    assert all(envs.single_observation_space.contains(row) for row in iterate(envs.observation_space, observed))


def test_the_step_after_the_end_begins_another_episode_without_reward(regions):
    envs = RouteVectorEnv(2, regions["s4"])
    seen = trail(envs, seed=1, steps=900)
    ends = [(step, row) for step, (_, _, over) in enumerate(seen[:-1]) for row in np.flatnonzero(over)]
    assert len(ends) > 2
    for step, row in ends:
        assert not seen[step][0]["action_mask"][row].any()
        following = seen[step + 1]
        assert following[1][row] == 0.0
        assert not following[2][row]
        assert following[0]["action_mask"][row].any()


def test_options_pin_the_episodes_and_a_mask_chooses_the_environments(regions):
    envs, single = RouteVectorEnv(3, regions["s4"]), RouteEnv(regions["s4"])
    before, _ = envs.reset(seed=4)
    chosen = np.array([False, True, False])
    after, info = envs.reset(options={"window": 2, "seed": 8, "reset_mask": chosen})
    expected, told = single.reset(options={"window": 2, "seed": 8})
    for name in OBSERVED:
        np.testing.assert_array_equal(after[name][1], expected[name])
        np.testing.assert_array_equal(after[name][[0, 2]], before[name][[0, 2]])
    assert [info[name][1] for name in ("task", "stage", "node", "user_node")] == [
        told[name] for name in ("task", "stage", "node", "user_node")
    ]


def test_tensors_and_uncopied_observations_share_the_buffers(regions):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    envs = RouteVectorEnv(2, regions["s4"], copy=False)
    observed, _ = envs.reset(seed=0)
    tensors = envs.tensors()
    for name in OBSERVED:
        assert tensors[name].data_ptr() == observed[name].ctypes.data
    earlier = tensors["candidates"].clone()
    envs.step(np.zeros(2, np.int64))
    assert not torch.equal(earlier, tensors["candidates"])
    assert RouteVectorEnv(2, regions["s4"]).reset(seed=0)[0]["task"].base is None


BROKEN = {
    "no environment": lambda region: RouteVectorEnv(0, region),
    "two actions": lambda region: RouteVectorEnv(3, region).step(np.zeros(2, np.int64)),
    "fractions": lambda region: RouteVectorEnv(1, region).step(np.zeros(1)),
    "two seeds": lambda region: RouteVectorEnv(3, region).reset(seed=[1, 2]),
    "a negative seed": lambda region: RouteVectorEnv(3, region).reset(seed=-1),
    "an unknown option": lambda region: RouteVectorEnv(3, region).reset(options={"windows": 1}),
    "no such window": lambda region: RouteVectorEnv(3, region).reset(options={"window": 99}),
    "too large a seed for the last": lambda region: RouteVectorEnv(4, region, seed=2**63 - 2),
    "an empty mask": lambda region: RouteVectorEnv(3, region).reset(options={"reset_mask": np.zeros(3, bool)}),
    "a short mask": lambda region: RouteVectorEnv(3, region).reset(options={"reset_mask": np.ones(2, bool)}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_in_words(regions, name):
    with pytest.raises(EdgeBenchError) as refused:
        BROKEN[name](regions["s4"])
    assert refused.value.mend


def test_reset_without_a_seed_goes_on_to_other_episodes(regions):
    envs = RouteVectorEnv(2, regions["s4"])
    first, second = envs.reset(seed=0)[0], envs.reset()[0]
    assert not np.array_equal(first["candidates"], second["candidates"])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda envs: pickle.loads(pickle.dumps(envs))])  # noqa: S301
def test_a_copy_goes_on_as_the_original_and_apart_from_it(regions, duplicate):
    original = RouteVectorEnv(batch.PARALLEL_FROM, regions["s4"], scenario="outage")
    trail(original, seed=3, steps=60)
    copied = duplicate(original)
    ours, theirs = (on(envs, steps=260) for envs in (copied, original))
    assert any(over.any() for _, _, over in ours)
    assert_equal(ours, theirs)


def on(envs, *, steps):
    """The next steps of environments in the midst of their episodes, by the first valid action."""
    return [envs.step(envs.action_masks().argmax(axis=1))[:3] for _ in range(steps)]


def test_a_pickle_goes_on_in_another_process(regions, tmp_path):
    envs = RouteVectorEnv(2, regions["s4"])
    trail(envs, seed=8, steps=20)
    (tmp_path / "envs.pickle").write_bytes(pickle.dumps(envs))
    code = (
        "import pickle, sys; envs = pickle.load(open(sys.argv[1], 'rb'));"
        " print([envs.step(envs.action_masks().argmax(axis=1))[1].tolist() for _ in range(50)])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "envs.pickle")], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == str([rewards.tolist() for _, rewards, _ in on(envs, steps=50)])
