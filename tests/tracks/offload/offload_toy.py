"""Small worlds made by hand, and play of them."""

from __future__ import annotations

import numpy as np

from edgebench.tracks.offload import physics
from edgebench.tracks.offload.constants import AGES, SLOTS, WORK_SHARES
from edgebench.tracks.offload.metrics import episode_metrics
from edgebench.tracks.offload.state import LINK, LINK_SLOT, NODE, NODE_SLOT, C, D, Episode, Network, blank_state


def toy_network(links, *, capacity, memory_mb=10_000, latency_ms=0.5):
    """Nodes of these capacities, linked in these pairs."""
    nodes = len(capacity)
    node, link = np.zeros(nodes, NODE), np.zeros((nodes, D), LINK)
    node["capacity"], node["memory_mb"] = capacity, memory_mb
    link["neighbour"], link["trap"], link["latency_ms"] = -1, -1, latency_ms
    for here, there in links:
        columns = int(node["degree"][here]), int(node["degree"][there])
        link["neighbour"][here, columns[0]], link["neighbour"][there, columns[1]] = there, here
        link["source"][here, columns[0]], link["source"][there, columns[1]] = 1 + columns[1], 1 + columns[0]
        node["degree"][[here, there]] += 1
    return Network(node, link)


def toy_episode(network, arrivals, *, link_shares=10_000, extra_ms=0.0, down=()):
    """Requests by (slot, node, class), links alike in every slot, nodes down by (slot, node)."""
    nodes = network.node.size
    node, link = np.zeros((SLOTS + AGES, nodes), NODE_SLOT), np.zeros((SLOTS + AGES, nodes, D), LINK_SLOT)
    for place, count in arrivals.items():
        node["arrivals"][place] = count
    for place in down:
        node["down"][place] = 1
    link["shares"], link["extra_ms"], link["bad"] = link_shares, extra_ms, extra_ms > 0.0
    return Episode(node, link, np.array([node["arrivals"].sum(axis=(0, 1)) @ np.array(WORK_SHARES)], np.int64))


def play(network, episode, choose, *, slots=SLOTS, after_slot=lambda state: None):
    """The state after an episode in which `choose(slot)` gives the shares."""
    state = blank_state(network.node.size)
    physics.start(network, episode, state)
    for slot in range(SLOTS):
        physics.step(network, episode, state, choose(slot) if slot < slots else nothing(network))
        after_slot(state)
    return state


def value_of(network, episode, choose, **more):
    """The primary metric of an episode played so."""
    return episode_metrics(network, episode, play(network, episode, choose, **more))["value"]


def nothing(network):
    """Shares that reject all."""
    return np.zeros((network.node.size, C), np.float32)


def to(network, *columns):
    """Shares of every node, all to one column each."""
    shares = nothing(network)
    shares[np.arange(network.node.size), list(columns)] = 1.0
    return shares
