"""Offload as a world: the environment's figures and sights for the same episode and actions."""

from __future__ import annotations

import numpy as np
import pytest
from lessons import practice_of

from edgebench.learning.world import make_world
from edgebench.tracks.offload.constants import SLOTS
from edgebench.tracks.offload.env import OffloadEnv
from edgebench.tracks.offload.sight import _PRIOR_SPREAD, _PRIOR_WEIGHT, ROWS
from edgebench.tracks.offload.world import FORM, Sight

EPISODE = (0, 7)


def fair(rows, mask):
    weights = np.log1p(np.exp(_PRIOR_WEIGHT * rows[..., ROWS.index("fair")])) * mask
    return weights / weights.sum(-1, keepdims=True)


@pytest.mark.parametrize("face", ["single", "team"])
def test_a_world_and_the_environment_agree(face, regions):
    region = regions["s1"]
    env, sight = OffloadEnv(region, scenario="trap"), Sight(region.public())
    world = make_world("offload", face, [regions["s3"], region], scenario="trap")
    world.begin([EPISODE])
    observed, info = env.reset(options={"window": EPISODE[0], "seed": EPISODE[1]})
    over, brought = False, 0.0
    while (seen := world.seen()).episode.size:
        assert not over
        mine = seen.episode == 1
        alone = sight.seen(observed)
        for name in ("rows", "context", "mask", "whole", "nodes", "stream"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(seen, name)[mine], err_msg=name)
        action = fair(seen.rows, seen.mask).astype(np.float32)
        chosen = sight.decide(observed, info, lambda seen, shares=action[mine]: shares)
        observed, _, _, over, info = env.step(chosen)
        brought += world.step(action)[mine].sum()
    summary = env.summary()
    assert over
    assert world.scores()[1] == pytest.approx(summary["value"])
    assert brought + SLOTS == pytest.approx(summary["reward"])


def test_sights_are_the_same_shape_everywhere_and_small(regions):
    world = practice_of("offload", "team", [regions["s1"], regions["s3"]])
    world.begin()
    for _ in range(20):
        seen = world.seen()
        world.step(fair(seen.rows, seen.mask))
    assert seen.rows.shape == (25 + 101, 10, len(FORM.rows))
    assert seen.whole.shape[1] == len(FORM.whole)
    assert max(np.abs(seen.rows).max(), np.abs(seen.context).max()) < 8.0
    assert (np.ptp(seen.whole[:25], axis=0) == 0.0).all()
    assert (seen.whole[0] != seen.whole[-1]).any()


def test_a_policy_begins_with_the_share_by_spare_capacity(regions):
    world = make_world("offload", "single", [regions["s1"]])
    world.begin([EPISODE])
    seen = world.seen()
    shares = fair(seen.rows, seen.mask)
    empty = seen.context[:, FORM.context.index("pressure")] < 0.0
    assert empty.any()
    assert (shares[empty, -1] < 0.01).all()
    assert _PRIOR_SPREAD > 1.0
