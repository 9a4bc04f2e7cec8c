"""The bound is above all that any policy reaches, and as tight as its relaxation says."""

import numpy as np
import pytest
from allocate_toy import Toy, best_completion, quiet_world, toy_job, toy_jobs, toy_sites

from edgebench.harness.rollout import roll
from edgebench.registry import SCENARIOS
from edgebench.tracks.allocate.bound import completion_bound, episode_bounds
from edgebench.tracks.allocate.env import AllocateEnv
from reference_agents.allocate import priority_edf

ROUNDING = 1e-6


def drawn_episode(generator):
    """A few jobs in a narrow place, so that trying everything takes a moment."""
    count = int(generator.integers(1, 3))
    units = [float(generator.integers(1, 4)) for _ in range(count)]
    rows = [
        toy_job(
            float(generator.uniform(0.0, 3.0)),
            units=float(generator.integers(1, 3)),
            duration_s=float(generator.uniform(1.0, 6.0)),
            slack_s=float(generator.uniform(0.2, 2.5)),
            priority=int(generator.integers(1, 4)),
            origin=int(generator.integers(count)),
            payload_mb=float(generator.uniform(0.0, 2.0)),
        )
        for _ in range(4)
    ]
    down = {0: (1, 3)} if generator.uniform() < 0.3 else None
    return units, rows, down


def test_no_policy_passes_the_bound_by_brute_force():
    generator, gaps, binding = np.random.default_rng(5), [], 0
    for _ in range(30):
        units, rows, down = drawn_episode(generator)
        sites, jobs = toy_sites(units), toy_jobs(*rows)
        world = quiet_world(sites, down)
        bound, best = completion_bound(sites, jobs, world.down), best_completion(Toy(sites, world, jobs))
        assert best <= bound + ROUNDING
        gaps.append(bound - best)
        binding += bound < 1.0 - ROUNDING
    assert binding > 10, "the bound tells something of many of these"
    assert np.mean(gaps) < 0.2


def test_two_jobs_that_must_overlap_on_one_site_are_half_done():
    sites, jobs = toy_sites([1.0]), toy_jobs(toy_job(0.0, slack_s=0.5), toy_job(0.1, slack_s=0.5))
    assert completion_bound(sites, jobs, quiet_world(sites).down) == pytest.approx(0.5, abs=0.05)


def test_the_higher_priority_counts_where_one_must_go():
    rows = toy_job(0.0, slack_s=0.5), toy_job(0.1, slack_s=0.5, priority=3)
    sites = toy_sites([1.0])
    assert completion_bound(sites, toy_jobs(*rows), quiet_world(sites).down) == pytest.approx(0.75, abs=0.03)


def test_what_fits_nowhere_or_is_out_of_reach_is_not_counted():
    rows = toy_job(0.0, units=3.0), toy_job(0.0, units=2.0, payload_mb=9.0), toy_job(0.0)
    sites = toy_sites([1.0, 2.0])
    assert completion_bound(sites, toy_jobs(*rows), quiet_world(sites).down) == pytest.approx(1 / 3)


def test_a_site_that_is_down_does_nothing():
    sites, jobs = toy_sites([1.0]), toy_jobs(toy_job(0.0))
    assert completion_bound(sites, jobs, quiet_world(sites, {0: (0, 256)}).down) == pytest.approx(0.0, abs=ROUNDING)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_best_heuristic_stays_below_it(regions, scenario):
    env = AllocateEnv(regions["s4"], scenario=scenario, split="test")
    episodes = [(0, 0), (2, 1)]
    bounds = episode_bounds(regions["s4"], scenario=SCENARIOS[scenario], split="test", episodes=episodes)
    reached = [summary["completion"] for summary in roll(env, priority_edf.Agent(), episodes)]
    assert (np.array(reached) < bounds - 0.05).all()
    assert (bounds <= 1.0).all()
