"""What arises: the load that is meant, held-out splits, the same jobs whatever anyone does."""

import numpy as np
import pytest

from edgebench.registry import REGIONS, SCENARIOS
from edgebench.tracks.allocate import constants
from edgebench.tracks.allocate.generator import Generator


def drawn(regions, name, split="test", scenario="trap"):
    return Generator(regions[name], SCENARIOS[scenario], split)


@pytest.mark.parametrize("name", REGIONS)
def test_the_scarcest_resource_is_asked_for_as_much_as_is_meant(regions, name):
    generator = drawn(regions, name)
    capacity = generator.sites.capacity
    assert (capacity > 0.0).all()
    assert (capacity == np.floor(capacity)).all(), "whole units, so that sums are exact"
    work = np.zeros(constants.R)
    for seed in range(20):
        jobs = generator.jobs(seed % 4, seed)
        work += (jobs["demand"] * jobs["duration_ms"][:, None]).sum(axis=0) / 20
    load = work / (capacity.sum(axis=0) * 1000.0 * constants.ARRIVALS_S)
    assert load.max() == pytest.approx(constants.LOAD, rel=0.08)
    assert load.min() > constants.LOAD / 3, "no resource is free"


def test_jobs_are_within_their_limits_and_in_the_order_of_arrival(regions):
    jobs = drawn(regions, "s1").jobs(0, 3)
    assert (np.diff(jobs["arrival_ms"]) >= 0.0).all()
    assert ((jobs["arrival_ms"] >= 0.0) & (jobs["arrival_ms"] < 1000.0 * constants.ARRIVALS_S)).all()
    slack_ms = jobs["latest_ms"] - jobs["arrival_ms"]
    assert ((slack_ms >= constants.SLACK_MS[0]) & (slack_ms <= constants.SLACK_MS[1])).all()
    least, most = constants.DURATION_LIMITS_MS
    assert ((jobs["duration_ms"] >= least) & (jobs["duration_ms"] <= most)).all()
    assert jobs["latest_ms"].max() + most <= constants.HORIZON_MS
    assert (jobs["demand"] == np.round(jobs["demand"])).all()
    shares = np.bincount(jobs["priority"], minlength=4)[1:] / jobs.size
    assert shares == pytest.approx(constants.PRIORITY_SHARES, abs=0.12)


def test_splits_windows_and_seeds_share_no_draw(regions):
    seen = set()
    for split in ("train", "val", "test"):
        generator = drawn(regions, "s1", split)
        for window in range(3):
            for seed in range(3):
                payloads = generator.jobs(window, seed)["duration_ms"].tolist()
                assert tuple(payloads[:5]) not in seen
                seen.add(tuple(payloads[:5]))


def test_users_of_two_splits_ask_at_different_places(regions):
    places = [
        np.bincount(
            np.concatenate([drawn(regions, "s1", split).jobs(0, seed)["origin"] for seed in range(9)]), minlength=25
        )
        for split in ("train", "test")
    ]
    assert np.corrcoef(places)[0, 1] < 0.9


def test_the_same_episode_is_drawn_twice_alike(regions):
    first, second = (drawn(regions, "s4", "val", "burst").jobs(1, 7) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_a_burst_is_at_one_place_and_brings_more(regions):
    """Over many seeds; one crowd may be where few users live."""
    calm = sum(drawn(regions, "s1").jobs(0, seed).size for seed in range(20))
    burst = sum(drawn(regions, "s1", scenario="burst").jobs(0, seed).size for seed in range(20))
    assert burst > 1.2 * calm


def test_in_drift_the_load_moves_east(regions):
    generator = drawn(regions, "s1", scenario="drift")
    east = regions["s1"].topology().node["east"]
    jobs = np.concatenate([generator.jobs(0, seed) for seed in range(10)])
    early = jobs["arrival_ms"] < 500.0 * constants.ARRIVALS_S
    assert east[jobs["origin"][~early]].mean() > east[jobs["origin"][early]].mean() + 0.1


def test_the_world_is_the_scenarios(regions):
    for name in SCENARIOS:
        world = drawn(regions, "s1", scenario=name).world(4)
        assert world.bad.any() == (name != "calm")
        assert world.down.any() == world.fails == (name == "outage")
        assert (world.jitter_chance > 0.0) == (name == "jitter")
