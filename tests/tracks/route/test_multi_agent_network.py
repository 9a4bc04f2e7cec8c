"""What gateways tell each other and how long it takes, worked out once more from the region's own figures."""

from itertools import pairwise, product

import networkx
import numpy as np
import pytest
from random_play import valid_actions

pytest.importorskip("pettingzoo", reason="needs pettingzoo: pip install edgebench[marl]")

from edgebench.constants import HOP_MS, JITTER_MS, TELEMETRY_MS, TRAP_SLOT_MS
from edgebench.registry import REGIONS
from edgebench.sim.outages import outage_schedule
from edgebench.sim.traps import trap_schedule
from edgebench.tracks.route.gateway_features import GATEWAY
from edgebench.tracks.route.parallel import RouteParallelEnv
from edgebench.tracks.route.turns import MESSAGE_MB

SEED = 17
MS_PER_MB_AT_1_MBPS = 8000.0


def rounds_of(env):
    """Play an episode; yields the time and the observations of every round."""
    choose = valid_actions(3)
    observed, infos = env.reset(options={"window": 0, "seed": SEED})
    while env.agents:
        yield infos["gateway_0"]["now_ms"], observed
        actions = {agent: choose(observed[agent]["action_mask"]) for agent in env.agents}
        observed, *_, infos = env.step(actions)


def ways_ms(region, source, target):
    """Propagation, hops and transmission of a letter on each of the quickest paths, as networkx finds them."""
    if source == target:
        return [0.0]
    graph = region.graph()
    paths = networkx.all_shortest_paths(graph, source, target, lambda u, v, link: round(1e4 * delay_ms(link)))
    ways = [[graph.edges[pair] for pair in pairwise(path)] for path in paths]
    return [
        sum(map(delay_ms, links)) + MESSAGE_MB * MS_PER_MB_AT_1_MBPS / min(link["bandwidth_mbps"] for link in links)
        for links in ways
    ]


def delay_ms(link):
    return link["latency_ms"] + HOP_MS


@pytest.mark.parametrize("name", REGIONS)
def test_in_calm_a_letter_takes_what_the_network_takes(regions, name):
    env = RouteParallelEnv(regions[name], scenario="calm", gateways=5)
    ways = [ways_ms(regions[name], source, target) for target, source in product(env.stands_on.tolist(), repeat=2)]
    for now_ms, _ in rounds_of(env):
        for taken_ms, known_ms in zip((env._there_ms - now_ms).ravel(), ways, strict=True):
            assert min(abs(taken_ms - way_ms) for way_ms in known_ms) < 1e-3


def test_trap_links_delay_a_letter_by_the_state_they_have_when_it_leaves(regions):
    env, calm = (RouteParallelEnv(regions["s3"], scenario=scenario, gateways=4) for scenario in ("trap", "calm"))
    link, path = env._simulation.topology.trap, env._simulation.topology.path
    bad, extra_ms = trap_schedule(link, SEED, True, False)
    calm.reset(options={"window": 0, "seed": SEED})
    idle, delayed = calm._there_ms - calm._now_ms, 0
    for now_ms, _ in rounds_of(env):
        slot = min(int(now_ms / TRAP_SLOT_MS), bad.shape[1] - 1)
        expected = idle.copy()
        for receiver, target in enumerate(env.stands_on):
            for sender, node in enumerate(env.stands_on):
                while (trap := path[target, node]["next_trap"]) >= 0:
                    slow_ms = MESSAGE_MB * link[trap]["slow_ms_per_mb"] if bad[trap, slot] else 0.0
                    expected[receiver, sender] += extra_ms[trap, slot] + slow_ms
                    node = path[target, node]["past_trap"]
        np.testing.assert_allclose(env._there_ms - now_ms, expected, rtol=0.0, atol=1e-6)
        delayed += (expected > idle + 1000.0).any()
    assert delayed > 20


def test_jitter_delays_letters_between_its_bounds_or_not_at_all(regions):
    env, other = (RouteParallelEnv(regions["s1"], scenario=name, gateways=4) for name in ("jitter", "trap"))
    late_ms = []
    for (now_ms, _), (same_ms, _) in zip(rounds_of(env), rounds_of(other), strict=False):
        if now_ms == same_ms:
            late_ms.append(env._there_ms - other._there_ms)
    late_ms = np.array(late_ms)
    assert (late_ms[:, range(4), range(4)] == 0.0).all()
    late = late_ms > 1e-6
    assert 0.2 < late[~np.broadcast_to(np.eye(4, dtype=bool), late.shape)].mean() < 0.6
    assert late_ms[late].min() >= JITTER_MS[0] - 1e-6
    assert late_ms[late].max() <= JITTER_MS[1] + 1e-6


@pytest.mark.parametrize("scenario", ["trap", "outage"])
def test_rows_are_the_published_state_of_the_clusters(regions, scenario):
    env = RouteParallelEnv(regions["s1"], scenario=scenario, gateways=3, tick_ms=500.0)
    topology, state = env._simulation.topology, env._simulation.state
    rules = state.rules[0]
    down = outage_schedule(topology.node.size, SEED, rules["outage_enter"], rules["outage_leave"])
    told = 0
    for now_ms, observed in rounds_of(env):
        period, server = int(now_ms / TELEMETRY_MS), state.server
        free_ms = np.where(server["seen_period"] == period, server["seen_free_ms"], server["free_ms"])
        columns = {
            "queue_s": np.maximum(0.0, free_ms - now_ms) / 1000.0,
            "stored": server["stored_gb"] / topology.node["storage_gb"],
            "down": down[:, min(round(period * TELEMETRY_MS / TRAP_SLOT_MS), down.shape[1] - 2)].astype(float),
        }
        for row, agent in enumerate(env.possible_agents):
            for name, values in columns.items():
                expected = values[env.gateway_of == row].mean()
                assert observed[agent]["cluster"][row, GATEWAY[name]] == pytest.approx(expected, rel=1e-5, abs=1e-6)
            told += observed[agent]["cluster"][row, :2].any()
    assert told > 100
    assert down.any() == (scenario == "outage")


def test_a_row_is_heard_when_it_has_arrived(regions):
    """The age of what is known of a gateway is that of the latest letter of those there: of all ever sent, by hand."""
    env, sent = RouteParallelEnv(regions["s3"], gateways=3), []
    for now_ms, observed in rounds_of(env):
        for receiver, agent in enumerate(env.possible_agents):
            cluster = observed[agent]["cluster"]
            for sender in {0, 1, 2} - {receiver}:
                there = [left_ms for left_ms, there_ms in sent if there_ms[receiver, sender] <= now_ms]
                assert cluster[sender, GATEWAY["heard"]] == bool(there)
                age_s = (now_ms - max(there)) / 1000.0 if there else 0.0
                assert cluster[sender, GATEWAY["age_s"]] == pytest.approx(age_s, abs=1e-4)
        sent.append((now_ms, env._there_ms.copy()))
    assert len(sent) > 50
