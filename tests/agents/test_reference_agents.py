"""Every reference agent: valid, deterministic, without privileged information, and its command in its docstring."""

import importlib
import pkgutil

import numpy as np
import pytest

import reference_agents.route
from edgebench.harness.agents import resolve_agent
from edgebench.harness.rollout import reset_info, takes_info
from edgebench.registry import REGIONS
from edgebench.tracks.route.env import RouteEnv

MODULES = {
    name: module
    for name in sorted(found.name for found in pkgutil.iter_modules(reference_agents.route.__path__))
    if hasattr(module := importlib.import_module(f"reference_agents.route.{name}"), "Agent")
}
AGENTS = pytest.mark.parametrize("name", MODULES)
EVERY_REGION = pytest.mark.parametrize("region", REGIONS)
PART_OF_AN_EPISODE = 60
"""Decisions in which two runs are compared."""


class Watched(dict):
    """A dictionary that records which keys are looked up, and all of them when it is walked through."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.read = set()

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        self.read.add(key)
        return super().get(key, default)

    def __iter__(self):
        self.read.update(super().keys())
        return super().__iter__()

    def keys(self):
        self.read.update(super().keys())
        return super().keys()

    def items(self):
        self.read.update(super().keys())
        return super().items()

    def values(self):
        self.read.update(super().keys())
        return super().values()


def told(region, *, window, seed):
    """What an agent is told at reset, in dictionaries that record what is read."""
    names = {"track": "route", "scenario": "trap", "split": "test"}
    info = reset_info(region, window=window, seed=seed, **names)
    return Watched({**info, "topology": Watched(info["topology"])})


def actions(agent, env, *, window, seed, most=10**9):
    """The agent's actions in an episode, each checked against the mask."""
    agent.reset(told(env.region, window=window, seed=seed))
    with_info = takes_info(agent.act)
    observation, info = env.reset(options={"window": window, "seed": seed})
    taken, over = [], False
    while not over and len(taken) < most:
        action = agent.act(observation, info) if with_info else agent.act(observation)
        assert isinstance(action, int | np.integer)
        assert observation["action_mask"][action] == 1
        taken.append(int(action))
        observation, _, over, _, info = env.step(action)
    return taken


@pytest.fixture(scope="module")
def environments(regions):
    return {name: RouteEnv(region, scenario="trap", split="test") for name, region in regions.items()}


def test_there_are_agents():
    assert {"random_valid", "nearest", "greedy_estimate", "lookahead"} <= set(MODULES)


@AGENTS
@EVERY_REGION
def test_every_action_of_an_episode_is_valid(environments, name, region):
    env = environments[region]
    taken = actions(MODULES[name].Agent(), env, window=1, seed=2)
    assert env.summary()["decisions"] == len(taken)


@AGENTS
def test_two_agents_of_one_seed_act_alike_whatever_one_did_before(environments, name):
    env, pinned = environments["s1"], {"window": 0, "seed": 1, "most": PART_OF_AN_EPISODE}
    used = MODULES[name].Agent()
    actions(used, environments["s4"], window=3, seed=4, most=PART_OF_AN_EPISODE)
    actions(used, env, window=2, seed=3, most=PART_OF_AN_EPISODE)
    assert actions(used, env, **pinned) == actions(MODULES[name].Agent(), env, **pinned)


@AGENTS
@EVERY_REGION
def test_nothing_privileged_is_told_or_asked_for(environments, name, region):
    env = environments[region]
    info = told(env.region, window=0, seed=0)
    assert not [key for key in info["topology"] if "trap" in key]
    info["topology"].read.clear()
    MODULES[name].Agent().reset(info)
    assert not [key for key in (*info.read, *info["topology"].read) if "trap" in key]


@AGENTS
def test_what_the_agent_sees_is_left_as_it_is(environments, name):
    """An agent that wrote into its observation or its topology would corrupt what others are given."""
    env, agent = environments["s2"], MODULES[name].Agent()
    info = told(env.region, window=0, seed=0)
    for column in dict.values(info["topology"]):
        column.setflags(write=False)
    agent.reset(info)
    observation, of_step = env.reset(options={"window": 0, "seed": 0})
    for array in (*observation.values(), *(part for part in of_step.values() if isinstance(part, np.ndarray))):
        array.setflags(write=False)
    action = agent.act(observation, of_step) if takes_info(agent.act) else agent.act(observation)
    assert observation["action_mask"][action] == 1


def test_random_valid_draws_every_candidate(environments):
    taken = actions(MODULES["random_valid"].Agent(), environments["s3"], window=0, seed=0)
    assert len(set(taken)) > 20


@AGENTS
def test_the_docstring_names_the_command_that_runs_it(name):
    command = f"edgebench eval {name.replace('_', '-')}"
    assert f"Command: {command}" in (MODULES[name].__doc__ or "").splitlines()
    assert resolve_agent(name.replace("_", "-")).target == f"reference_agents.route.{name}:Agent"
