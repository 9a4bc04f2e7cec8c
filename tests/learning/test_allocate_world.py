"""Allocate as worlds: the environments' figures and sights for the same episode and actions."""

from __future__ import annotations

import numpy as np
import pytest
from lessons import practice_of

from edgebench.learning.world import make_world
from edgebench.tracks.allocate.env import AllocateEnv
from edgebench.tracks.allocate.parallel import AllocateParallelEnv
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
