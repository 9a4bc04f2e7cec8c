"""Place as worlds: the environments' episodes, rewards and masks, and the same features in every region."""

import numpy as np
import pytest
from lessons import practice_of

import edgebench
from edgebench.learning.world import make_world
from edgebench.tracks.place.constants import PLAN_EDITS, SLOTS
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.parallel import DEVICE, EXPERT, PlaceParallelEnv
from edgebench.tracks.place.sight import ROWS

EPISODE = (1, 3)


def drawn_rows(seen, draws):
    """A row of each decision that may be chosen."""
    return np.array([draws.choice(np.flatnonzero(mask)) for mask in seen.mask], np.int64)


def test_single_is_the_environment_and_credits_sum_to_its_rewards():
    region = edgebench.load("s1")
    world = make_world("place", "single", [region], each=1)
    world.begin([EPISODE])
    env = PlaceEnv(region)
    observation, _ = env.reset(options=dict(zip(("window", "seed"), EPISODE, strict=True)))
    draws, credit, reward, decisions = np.random.default_rng(1), 0.0, 0.0, 0
    while (seen := world.seen()).episode.size:
        assert seen.mask.any(axis=1).all()
        row = drawn_rows(seen, draws)
        credit += world.step(row).sum()
        if decisions % 2 == 0:
            expert = int(row[0])
        else:
            flat = observation["action_mask"].reshape(-1, 24)[expert]
            assert (seen.mask[0] == flat.astype(bool)).all()
            observation, brought, _, _, _ = env.step(np.array([expert, *divmod(int(row[0]), 8)]))
            reward += brought
        decisions += 1
    assert decisions == 2 * (PLAN_EDITS + SLOTS)
    assert world.scores()[0] == env.summary()["relative_speed"]
    assert credit == pytest.approx(reward)


def test_team_is_the_parallel_environment():
    region = edgebench.load("s1")
    world = make_world("place", "team", [region], each=1)
    world.begin([EPISODE])
    env = PlaceParallelEnv(region)
    observed, _ = env.reset(options=dict(zip(("window", "seed"), EPISODE, strict=True)))
    draws, reward, credit = np.random.default_rng(2), 0.0, np.zeros(2)
    while (seen := world.seen()).episode.size:
        assert seen.stream.tolist() == [0, 1]
        assert (seen.mask[0] == observed[EXPERT]["action_mask"].astype(bool)).all()
        assert (seen.mask[1, :24] == observed[DEVICE]["action_mask"].astype(bool)).all()
        assert np.isfinite(seen.whole).all()
        row = drawn_rows(seen, draws)
        observed, brought, _, _, _ = env.step({EXPERT: int(row[0]), DEVICE: int(row[1])})
        credit += world.step(row)[:, 0]
        reward += brought[EXPERT]
    assert world.scores()[0] == env.summary()["relative_speed"]
    assert credit.sum() == pytest.approx(reward)
    assert credit[0] == pytest.approx(credit[1])


def test_without_credit_the_episode_is_the_same_and_credit_comes_back():
    world = make_world("place", "single", [edgebench.load("s1")], each=1)
    ends = []
    for credited in (True, False, True):
        world.begin([EPISODE], credited=credited)
        draws, credit = np.random.default_rng(1), 0.0
        while (seen := world.seen()).episode.size:
            credit += world.step(drawn_rows(seen, draws)).sum()
        ends.append((world.scores()[0], credit))
    assert ends[0] == ends[2]
    assert ends[0][0] == ends[1][0]


@pytest.mark.parametrize(("face", "settings"), [("single", {}), ("single", {"graph": True}), ("team", {})])
def test_the_same_shapes_everywhere_and_nothing_large(face, settings):
    world = practice_of("place", face, [edgebench.load("s1"), edgebench.load("s3")], seed=4, **settings)
    world.begin()
    draws = np.random.default_rng(3)
    for _ in range(8):
        seen = world.seen()
        assert seen.rows.shape[2] == len(world.form.rows)
        assert seen.context.shape[1] == len(world.form.context)
        assert seen.whole.shape[1] == len(world.form.whole)
        assert np.abs(seen.rows).max() <= 5.0
        assert np.abs(seen.context).max() <= 5.0
        world.step(drawn_rows(seen, draws))


def test_the_graph_shows_all_rows_and_who_was_picked():
    world = make_world("place", "single", [edgebench.load("s1")], each=1, graph=True)
    world.begin([EPISODE])
    first = world.seen()
    assert first.edges.shape == (1, 88, 88)
    assert first.mask[0, :64].all()
    assert not first.mask[0, 64:].any()
    assert not first.edges[0, :64, 64:].any()
    assert first.edges[0, :64, :64].any()
    assert first.edges[0, 64:, 64:].any()
    world.step(np.array([5]))
    second = world.seen()
    assert np.flatnonzero(second.rows[0, :, ROWS.index("is_picked")]).tolist() == [5]
    assert not second.mask[0, :64].any()


def test_what_the_estimate_gains_is_worth_taking():
    """The row that gains most by the estimate, at every decision, makes batches quicker than they were."""
    world = make_world("place", "single", [edgebench.load("s1")], each=1)
    world.begin([EPISODE])
    while (seen := world.seen()).episode.size:
        world.step(np.where(seen.mask, seen.rows[..., ROWS.index("apart")], -np.inf).argmax(axis=1))
    assert world.scores()[0] > 1.15
