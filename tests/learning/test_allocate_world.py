"""Allocate as worlds: the environments' figures and sights for the same episode and actions."""

from __future__ import annotations

import numpy as np
import pytest
from lessons import method_of, practice_of

from edgebench.learning.world import make_world
from edgebench.tracks.allocate.constants import RESOURCES
from edgebench.tracks.allocate.env import AllocateEnv
from edgebench.tracks.allocate.parallel import AllocateParallelEnv
from edgebench.tracks.allocate.team_sight import CONTEXT, FITTING
from edgebench.tracks.allocate.world import FORM, Sight

EPISODE = (0, 7)


def every_third_waits(count):
    """Rows to choose of a decision, by how many came before: the first site that may be chosen, or to wait."""
    return lambda mask: int(np.argmax(mask)) if count % 3 else mask.size - 1


def test_a_world_and_the_environment_agree(regions):
    region = regions["s1"]
    env, sight = AllocateEnv(region, scenario="trap"), Sight(region.public())
    world = make_world("allocate", "single", [region], scenario="trap")
    world.begin([EPISODE])
    observed, info = env.reset(options={"window": EPISODE[0], "seed": EPISODE[1]})
    over, brought, count = False, [], 0
    while (seen := world.seen()).episode.size:
        assert not over
        alone = sight.seen(observed, info)
        for name in ("rows", "context", "mask", "nodes", "stream"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(seen, name), err_msg=name)
        chosen = np.array([every_third_waits(count)(seen.mask[0])])
        site = sight.decide(observed, info, lambda seen, chosen=chosen: chosen)
        observed, _, over, _, info = env.step(np.int64(site))
        brought.append(world.step(chosen))
        count += 1
    summary = env.summary()
    assert over
    assert world.scores()[0] == pytest.approx(summary["completion"])
    assert np.concatenate(brought).sum() == pytest.approx(summary["reward"])


def test_what_a_job_earns_is_entered_with_the_last_decision_about_it(regions):
    world = make_world("allocate", "single", [regions["s1"]])
    world.begin([EPISODE])
    brought, streams = [], []
    while (seen := world.seen()).episode.size:
        streams.append(int(seen.stream[0]))
        brought.append(world.step(seen.mask.argmax(1)))
    brought = np.concatenate(brought)[:, 0]
    last = {stream: row for row, stream in enumerate(streams)}
    earlier = np.array([last[stream] != row for row, stream in enumerate(streams)])
    assert earlier.any()
    assert brought[earlier].max() < 1e-9
    assert brought[~earlier].max() > 0.3


def test_the_row_that_waits_is_the_last_in_every_region(regions):
    world = practice_of("allocate", "single", [regions["s1"], regions["s3"]])
    world.begin()
    seen = world.seen()
    assert seen.rows.shape == (2, 102, len(FORM.rows))
    assert (seen.rows[:, -1, FORM.rows.index("is_defer")] == 1.0).all()
    assert seen.mask[:, -1].all()
    assert not seen.mask[0, 25:-1].any()


def test_a_team_world_and_the_parallel_environment_agree(regions):
    region = regions["s1"]
    env = AllocateParallelEnv(region, scenario="trap")
    world = make_world("allocate", "team", [regions["s3"], region], scenario="trap")
    world.begin([EPISODE])
    env.reset(options={"window": EPISODE[0], "seed": EPISODE[1]})
    brought, generator = 0.0, np.random.default_rng(1)
    while (seen := world.seen()).episode.size:
        mine = seen.episode == 1
        offers = generator.random((mine.size, 4)).astype(np.float32)
        assert np.array_equal(mine.any(), bool(env.agents))
        if env.agents:
            env.step(dict(zip(env.agents, offers[mine], strict=True)))
        brought += world.step(offers)[mine].sum()
    summary = env.summary()
    assert world.scores()[1] == pytest.approx(summary["completion"])
    assert brought == pytest.approx(summary["reward"])


def columns(context, what):
    return context[:, [CONTEXT.index(f"{what}_{name}") for name in RESOURCES]]


def test_a_site_that_offers_what_fits_offers_the_first_job_enough_and_with_none_all(regions):
    world = make_world("allocate", "team", [regions["s1"]], each=2)
    world.begin([EPISODE, (0, 8)])
    offered = []
    while (seen := world.seen()).episode.size:
        context = seen.context
        fitting, need = columns(context, "fitting"), columns(context, "head_need")
        free = 1.0 - columns(context, "used") - columns(context, "coming")
        waits = context[:, CONTEXT.index("head_priority")] > 0.0
        assert (fitting[~waits] == 1.0).all()
        enough = (fitting * free >= need) | (fitting == 1.0)
        assert enough[waits].all()
        offered.append(fitting[waits])
        world.step(fitting)
    assert (np.concatenate(offered) < 0.5).mean() > 0.2


@pytest.mark.parametrize("name", ["mappo", "ippo", "maddpg", "matd3"])
def test_sites_begin_with_what_fits(name, regions):
    world = practice_of("allocate", "team", [regions["s1"]])
    method = method_of(name, world)
    world.begin()
    seen = world.seen()
    fitting = seen.context[:, [CONTEXT.index(feature) for feature in FITTING]]
    np.testing.assert_allclose(method.decide(seen), fitting.clip(0.02, 0.98), atol=0.02)
