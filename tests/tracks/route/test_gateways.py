"""Who decides for which nodes, where a gateway stands, what it hears of the others and when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebench.tracks.route.gateways import CLUSTERINGS, cluster_nodes, gateway_nodes
from edgebench.tracks.route.mail import Mail

EVERY_METHOD = pytest.mark.parametrize("method", CLUSTERINGS)
COMPUTE = st.integers(1, 60)
PLACE = st.tuples(st.integers(45_000, 55_000), st.integers(0, 10_000))


@st.composite
def networks(draw):
    """Places in thousandths of a degree, many of them the same; compute; a number of gateways."""
    places = draw(st.lists(PLACE, min_size=1, max_size=30))
    places += draw(st.lists(st.sampled_from(places), max_size=10))
    compute = draw(st.lists(COMPUTE, min_size=len(places), max_size=len(places)))
    lat, lon = np.array(places).T / 1000.0
    return lat, lon, np.array(compute, np.float64), draw(st.integers(1, len(places)))


@EVERY_METHOD
@given(network=networks())
def test_every_node_has_one_gateway_and_every_gateway_a_node(method, network):
    gateway_of = cluster_nodes(*network, method)
    assert gateway_of.shape == network[0].shape
    assert set(gateway_of.tolist()) == set(range(network[3]))
    assert (gateway_of == cluster_nodes(*network, method)).all()


@given(network=networks())
def test_balanced_clusters_hold_no_more_than_a_share_and_a_node(network):
    *_, compute, gateways = network
    held = np.bincount(cluster_nodes(*network, "balanced"), weights=compute)
    assert held.max() <= compute.sum() / gateways + compute.max()


@given(network=networks())
def test_kmeans_knows_kilometres_and_not_where_degrees_begin(network):
    lat, lon, compute, gateways = network
    there = cluster_nodes(lat, (lon + 175.0 + 180.0) % 360.0 - 180.0, compute, gateways, "kmeans")
    assert (there == cluster_nodes(lat, lon, compute, gateways, "kmeans")).all()


def test_kmeans_finds_clusters_that_anybody_sees():
    towns, draw = np.array([[46.0, 7.0], [47.0, 9.0], [46.2, 9.5]]), np.random.default_rng(0)
    town_of = np.repeat(np.arange(3), 8)
    lat, lon = (towns[town_of] + draw.uniform(-0.1, 0.1, (24, 2))).T
    gateway_of = cluster_nodes(lat, lon, np.ones(24), 3, "kmeans")
    assert len(set(zip(town_of.tolist(), gateway_of.tolist(), strict=True))) == 3


def test_a_degree_east_is_shorter_than_one_north():
    """At 60° by half: of four places the two at one latitude belong together, though farther apart in degrees."""
    lat, lon = np.array([60.0, 60.0, 61.0, 61.0]), np.array([10.0, 11.5, 10.0, 11.5])
    assert cluster_nodes(lat, lon, np.ones(4), 2, "kmeans").tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])


def test_round_robin_deals_nodes_out_in_order():
    assert cluster_nodes(np.zeros(5), np.zeros(5), np.ones(5), 2, "round-robin").tolist() == [0, 1, 0, 1, 0]


@EVERY_METHOD
@pytest.mark.parametrize("gateways", [0, -1, 6])
def test_as_many_gateways_as_nodes_at_most(method, gateways):
    with pytest.raises(ValueError, match=f"{gateways} gateways for 5 nodes"):
        cluster_nodes(np.zeros(5), np.zeros(5), np.ones(5), gateways, method)


def test_a_gateway_stands_in_the_middle_of_its_cluster():
    """On a line of five nodes, the first three and the last two; of equals the lowest."""
    latency_ms = np.abs(np.arange(5)[:, None] - np.arange(5)) * 1.5
    assert gateway_nodes(latency_ms, np.array([0, 0, 0, 1, 1]), 2).tolist() == [1, 3]


def letters(value):
    return np.full((2, 1), value, np.float32)


def test_a_letter_is_known_when_it_has_arrived_and_not_before():
    mail = Mail(2, 1)
    mail.post(10.0, np.array([[10.0, 25.0], [40.0, 10.0]]), np.array([[1.0], [2.0]], np.float32))
    for now_ms, known in ((24.9, [[1, 0], [0, 2]]), (25.0, [[1, 2], [0, 2]]), (40.0, [[1, 2], [1, 2]])):
        mail.collect(now_ms)
        assert mail.letters[..., 0].tolist() == known
    assert (mail.sent_ms == 10.0).all()


def test_a_letter_overtaken_by_a_later_one_is_not_read():
    mail = Mail(2, 1)
    mail.post(0.0, np.full((2, 2), 90.0), letters(1.0))
    mail.post(5.0, np.full((2, 2), 20.0), letters(2.0))
    for now_ms in (20.0, 90.0):
        mail.collect(now_ms)
        assert (mail.letters == 2.0).all()
        assert (mail.sent_ms == 5.0).all()


def test_of_letters_of_one_time_the_last_counts():
    mail = Mail(2, 1)
    for value in (1.0, 2.0):
        mail.post(0.0, np.full((2, 2), 20.0), letters(value))
    for now_ms in (20.0, 30.0):
        mail.collect(now_ms)
        assert (mail.letters == 2.0).all()
