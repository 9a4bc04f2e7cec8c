"""The physics: nothing is lost from the books, and every part of the problem matters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offload_toy import play, to, toy_episode, toy_network, value_of

from edgebench.registry import SCENARIOS
from edgebench.tracks.offload.constants import LOSS_COST, REJECT_COST
from edgebench.tracks.offload.draws import uniforms
from edgebench.tracks.offload.simulation import Simulation
from edgebench.tracks.offload.state import DROPPED, LATE, ON_TIME, OVERFLOW, REJECTED, C

LIGHT, MEDIUM, HEAVY = range(3)


def odd_shares(nodes, seed, slot):
    """Shares of any kind: sparse, huge, negative, not a number."""
    drawn = uniforms(seed, 1, nodes * C, slot + 1)[slot].reshape(nodes, C)
    odd = np.where(drawn < 0.4, 0.0, drawn)
    odd[drawn > 0.97], odd[drawn < 0.03], odd[(drawn > 0.5) & (drawn < 0.52)] = np.inf, -1.0, np.nan
    return odd.astype(np.float32)


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**40), scenario=st.sampled_from(sorted(SCENARIOS)), name=st.sampled_from(["s1", "s4"]))
def test_every_request_ends_exactly_once(regions, seed, scenario, name):
    simulation = Simulation(regions[name], SCENARIOS[scenario], "train")
    simulation.start(seed % 4, seed)
    state, nodes = simulation.state, simulation.nodes
    while not simulation.is_over:
        reward = simulation.step(odd_shares(nodes, seed, int(state.slot[0])))
        assert reward == pytest.approx(simulation.own_rewards().sum(), abs=1e-9)
        check_books(simulation)
    assert state.node["tally"].sum() == simulation.episode.total_work[0]
    assert not state.node["waiting"].any()
    assert not state.link["waiting"].any()
    assert not state.link["flying"].any()


def check_books(simulation):
    """What waits is counted rightly, within memory, and with what has ended it is all that has arrived."""
    state, work = simulation.state, np.array([5, 15, 25])
    assert (state.node["queued"] == (state.node["waiting"].sum(axis=(1, 2)) @ work)).all()
    assert (state.link["queued"] == (state.link["waiting"].sum(axis=2) @ work)).all()
    assert (state.node["used_mb"] == state.node["waiting"].sum(axis=(1, 2)) @ np.array([13, 38, 63])).all()
    assert (state.node["used_mb"] <= simulation.network.node["memory_mb"]).all()
    assert min(state.node["waiting"].min(), state.link["waiting"].min(), state.link["flying"].min()) >= 0
    under_way = (
        state.node["queued"].sum() + state.link["queued"].sum() + (state.link["flying"].sum(axis=2) @ work).sum()
    )
    slot = min(int(state.slot[0]), 120)
    arrived = (simulation.episode.node["arrivals"][:slot].sum(axis=(0, 1)) @ work).sum()
    assert under_way + state.node["tally"].sum() == arrived


def tally(network, episode, shares, outcome):
    """Work that ended so when the same shares are given in every slot."""
    return int(play(network, episode, lambda slot: shares).node["tally"][:, outcome].sum())


def test_a_queue_carries_over_and_deadlines_clear_it():
    network = toy_network([(0, 1)], capacity=(15, 15))
    episode = toy_episode(network, {(0, 0, MEDIUM): 5})
    assert tally(network, episode, to(network, 0, 0), ON_TIME) == 3 * 15
    assert tally(network, episode, to(network, 0, 0), LATE) == 2 * 15


def test_a_full_node_refuses():
    network = toy_network([(0, 1)], capacity=(15, 15), memory_mb=100)
    assert tally(network, toy_episode(network, {(0, 0, MEDIUM): 5}), to(network, 0, 0), OVERFLOW) == 3 * 15


def test_a_narrow_link_makes_late():
    network = toy_network([(0, 1)], capacity=(15, 1000))
    for link_shares, done in ((10_000, 5), (40, 4), (16, 2), (15, 1), (10, 0)):
        episode = toy_episode(network, {(0, 0, MEDIUM): 5}, link_shares=link_shares)
        assert tally(network, episode, to(network, 1, 0), ON_TIME) == done * 15


def test_delay_makes_late():
    arrivals = {(0, 0, MEDIUM): 4}
    for latency_ms, extra_ms, done in (
        (0.5, 0.0, 4),
        (950.0, 0.0, 4),
        (0.5, 1900.0, 4),
        (0.5, 2100.0, 0),
        (2500.0, 0.0, 0),
    ):
        network = toy_network([(0, 1)], capacity=(15, 1000), latency_ms=latency_ms)
        episode = toy_episode(network, arrivals, extra_ms=extra_ms)
        assert tally(network, episode, to(network, 1, 0), ON_TIME) == done * 15


def test_a_node_that_is_down_drops_what_it_has_and_what_reaches_it():
    network = toy_network([(0, 1)], capacity=(15, 15))
    waits = toy_episode(network, {(0, 0, HEAVY): 3}, down=[(1, 0)])
    assert tally(network, waits, to(network, 0, 0), DROPPED) == 3 * 25
    arrives = toy_episode(network, {(0, 0, MEDIUM): 2}, down=[(1, 1)])
    assert tally(network, arrives, to(network, 1, 0), DROPPED) == 2 * 15
    arises = toy_episode(network, {(0, 0, MEDIUM): 2}, down=[(0, 0)])
    assert tally(network, arises, to(network, 9, 0), DROPPED) == 2 * 15
    assert tally(network, arises, to(network, 9, 0), REJECTED) == 0


def test_forwarding_is_right_where_a_neighbour_is_idle():
    network = toy_network([(0, 1)], capacity=(15, 150))
    episode = toy_episode(network, {(slot, 0, MEDIUM): 4 for slot in range(60)})
    assert value_of(network, episode, lambda slot: to(network, 1, 0)) == 1.0
    assert value_of(network, episode, lambda slot: to(network, 0, 0)) < 0.0


def test_voluntary_rejection_is_right_where_a_node_is_asked_for_twice_what_it_can_do():
    """Every mix of keeping and rejecting is tried: the best rejects half, and to reject none or all is worse."""
    network = toy_network([(0, 1)], capacity=(150, 1))
    episode = toy_episode(network, {(slot, 0, MEDIUM): 20 for slot in range(100)}, link_shares=0)
    values = {}
    for rejected in range(11):
        shares = to(network, 0, 0)
        shares[0, [0, 9]] = 1.0 - rejected / 10, rejected / 10
        values[rejected] = value_of(network, episode, lambda slot, shares=shares: shares)
    assert max(values, key=values.get) == 5
    assert values[5] == pytest.approx(0.5 - 0.5 * REJECT_COST)
    assert values[0] == pytest.approx(0.5 - 0.5 * LOSS_COST, abs=0.03)
    assert values[10] == pytest.approx(-REJECT_COST)


def test_rejection_now_saves_what_comes_next():
    """After a rush of heavy requests light ones follow: to take all of the rush or none is worse than to take half.

    A node of 50 shares is asked for 300 at once and for 50 in each of the three slots after. If it takes all, the rush
    keeps it busy for four slots: 100 of it are late, and so are the light ones of two slots. If it takes half, those of
    one slot are late; if it takes none, none are.
    """
    network = toy_network([(0, 1)], capacity=(50, 1))
    arrivals = {(0, 0, HEAVY): 12} | {(slot, 0, LIGHT): 10 for slot in (1, 2, 3)}
    episode, keep = toy_episode(network, arrivals, link_shares=0), to(network, 0, 0)
    values = {}
    for taken in (0.0, 0.5, 1.0):
        rush = to(network, 0, 0)
        rush[0, [0, 9]] = taken, 1.0 - taken
        values[taken] = 450 * value_of(network, episode, lambda slot, rush=rush: keep if slot else rush)
    assert values[1.0] == pytest.approx(250 - 200 * LOSS_COST)
    assert values[0.5] == pytest.approx(250 - 150 * REJECT_COST - 50 * LOSS_COST)
    assert values[0.0] == pytest.approx(150 - 300 * REJECT_COST)
    assert values[0.5] > max(values[0.0], values[1.0])


def test_a_loss_costs_at_least_what_a_rejection_costs():
    network = toy_network([(0, 1)], capacity=(1, 1))
    episode = toy_episode(network, {(0, 0, MEDIUM): 4})
    rejected = value_of(network, episode, lambda slot: to(network, 9, 9))
    for column in (0, 1):
        assert value_of(network, episode, lambda slot, column=column: to(network, column, 0)) <= rejected < 0.0
