"""The flow bound: above every policy there is on tiny worlds, reached where nothing is in the way, above all played."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offload_toy import play, to, toy_episode, toy_network, value_of

from edgebench.harness.rollout import roll
from edgebench.registry import SCENARIOS
from edgebench.tracks.offload.bound import episode_bounds
from edgebench.tracks.offload.env import OffloadEnv
from edgebench.tracks.offload.flow_bound import most_on_time, value_bound
from edgebench.tracks.offload.metrics import episode_metrics
from edgebench.tracks.offload.state import ON_TIME, C
from reference_agents.offload import lp_yesterday, nearest_slack, proportional

COUNTS = st.lists(st.integers(0, 2), min_size=4, max_size=4)


def every_split(count):
    """All ways to split so many requests over local, one neighbour and reject, as shares."""
    for local in range(count + 1):
        for sent in range(count + 1 - local):
            row = np.zeros(C, np.float32)
            row[[0, 1, 9]] = np.array([local, sent, count - local - sent]) / max(count, 1)
            yield row


def best_by_brute_force(network, episode, counts):
    """The best value of all sequences of whole splits of two nodes in two slots."""
    best = -1.0
    for rows in itertools.product(*(every_split(count) for count in counts)):
        shares = np.array(rows, np.float32).reshape(2, 2, C)
        best = max(best, value_of(network, episode, lambda slot, shares=shares: shares[min(slot, 1)]))
    return best


@settings(deadline=None, max_examples=6)
@given(
    COUNTS,
    st.integers(0, 2),
    st.sampled_from([(15, 15), (30, 1), (25, 50)]),
    st.sampled_from([0, 15, 60]),
    st.sampled_from([0.0, 800.0, 1800.0]),
    st.sampled_from([(), ((1, 1),)]),
)
def test_no_policy_passes_the_bound_on_tiny_worlds(counts, kind, capacity, link_shares, extra_ms, down):
    network = toy_network([(0, 1)], capacity=capacity)
    arrivals = {(slot, node, kind): counts[2 * slot + node] for slot in (0, 1) for node in (0, 1)}
    episode = toy_episode(network, arrivals, link_shares=link_shares, extra_ms=extra_ms, down=down)
    bound = value_bound(network, episode)
    best = best_by_brute_force(network, episode, counts)
    assert best <= bound + 1e-12
    if sum(counts) and extra_ms == 0.0 and not down and capacity == (15, 15) and kind == 1:
        assert best == pytest.approx(bound)  # whole requests fill whole slots: nothing is relaxed


def test_the_flow_is_what_can_be_done_where_one_can_count_it():
    """Nine medium requests at a node that does one a slot for three slots; what the link lets through comes on top."""
    network = toy_network([(0, 1)], capacity=(15, 15))
    assert most_on_time(network, toy_episode(network, {(0, 0, 1): 9}, link_shares=0)) == 3 * 15
    assert most_on_time(network, toy_episode(network, {(0, 0, 1): 9}, link_shares=15)) == 5 * 15
    assert most_on_time(network, toy_episode(network, {(0, 0, 1): 9}, extra_ms=1500.0)) == 5 * 15
    assert most_on_time(network, toy_episode(network, {(0, 0, 1): 9}, extra_ms=2500.0)) == 3 * 15
    assert most_on_time(network, toy_episode(network, {(0, 0, 1): 9}, down=((1, 0),), link_shares=0)) == 15


def test_the_counted_flow_is_played():
    network = toy_network([(0, 1)], capacity=(15, 15), latency_ms=0.0)
    episode = toy_episode(network, {(0, 0, 1): 5}, link_shares=15)
    shares = to(network, 0, 0)
    shares[0, :2] = 0.6, 0.4
    state = play(network, episode, lambda slot: shares)
    assert state.node["tally"][:, ON_TIME].sum() == most_on_time(network, episode) == 5 * 15
    assert episode_metrics(network, episode, state)["value"] == value_bound(network, episode) == 1.0


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_heuristic_passes_the_bound_in_any_scenario(regions, scenario):
    region, episodes = regions["s4"], [(0, 0), (1, 1)]
    env = OffloadEnv(region, scenario=scenario, split="test")
    bounds = episode_bounds(region, scenario=SCENARIOS[scenario], split="test", episodes=episodes)
    for agent in (proportional.Agent(), nearest_slack.Agent(), lp_yesterday.Agent()):
        values = [metrics["value"] for metrics in roll(env, agent, episodes)]
        assert (np.array(values) < bounds).all()
    assert (bounds < 1.0).all()
