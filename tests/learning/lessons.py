"""Methods on small worlds, of Route where nothing else is said, as the tests of learning make them."""

import importlib

import numpy as np
import torch

from edgebench.learning.method import settings_of
from edgebench.learning.world import Practice, make_world

CPU = torch.device("cpu")


def practice_of(track, face, loaded, *, each=1, seed=1, split="train", replicas=1, **settings):
    """A world that draws its episodes."""
    world = make_world(track, face, loaded, each=each, split=split, **settings)
    return Practice(world, loaded, split, seed, replicas=replicas)


def world_of(regions, *, names=("s1",), **settings):
    """Of Route."""
    return practice_of("route", "single", [regions[name] for name in names], **{"each": 4, **settings})


def method_of(name, world, *, seed=1, **settings):
    kind = importlib.import_module(f"reference_agents.learned.{name}").METHOD
    method = kind(world.form, settings_of(kind.settings_type, settings), seed, CPU)
    method.enter(world.grounds)
    return method


def lessons(name, world, rounds=2, *, seed=1, **settings):
    """A method after some rounds, and what they were like."""
    method = method_of(name, world, seed=seed, **settings)
    learned = []
    for number in range(rounds):
        method.progress = number / rounds
        learned.append(method.practise(world))
    return method, learned


def weights_of(method):
    """All weights in a row."""
    return torch.cat([part.flatten() for module in method.modules().values() for part in module.state_dict().values()])


def score_of(method, world, episodes):
    """Mean utility of pinned episodes that the method decides."""
    return _score(method.decide, world.world, episodes)


def score_by_chance(world, episodes):
    """Mean utility of pinned episodes in which any row that may be chosen is as likely."""
    rng = np.random.default_rng(1)
    return _score(lambda seen: np.where(seen.mask, rng.random(seen.mask.shape), -1.0).argmax(-1), world.world, episodes)


def _score(decide, world, episodes):
    world.begin(episodes)
    while (seen := world.seen()).episode.size:
        world.step(decide(seen))
    return float(world.scores().mean())
