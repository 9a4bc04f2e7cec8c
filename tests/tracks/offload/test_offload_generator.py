"""What arises: workloads of mean 1, the load that is meant, bandwidth that remembers, no draw shared by two splits."""

import numpy as np
import pytest
from scipy import stats

from edgebench.registry import SCENARIOS
from edgebench.sim.demand import node_shares
from edgebench.tracks.offload import streams
from edgebench.tracks.offload.constants import BANDWIDTH_RHO, LOAD, MB_PER_SHARE, SLOTS, WORK_SHARES
from edgebench.tracks.offload.draws import normals, poisson
from edgebench.tracks.offload.generator import Generator, demand_shares, episode_seed
from edgebench.tracks.offload.network import build_network
from edgebench.tracks.offload.workloads import WORKLOADS

EAST = np.linspace(0.0, 1.0, 40)


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_is_never_negative_and_1_on_average(name):
    factors = np.array([WORKLOADS[name](EAST, SLOTS, seed) for seed in range(40)])
    assert factors.shape == (40, SLOTS, EAST.size)
    assert (factors >= 0.0).all()
    assert factors.mean() == pytest.approx(1.0, abs=0.05)
    assert factors.std() > 0.3


def test_the_sinusoid_peaks_in_the_east_first_and_once_an_episode():
    factors = WORKLOADS["sinusoidal"](EAST, SLOTS, 3)
    peaks = factors.argmax(axis=0)
    assert ((peaks[:-1] - peaks[1:]) % SLOTS < 10).all()
    assert factors[:, 0] == pytest.approx(factors[:, -1])
    assert factors[peaks[0], 0] > 1.8
    assert factors[(peaks[0] + SLOTS // 2) % SLOTS, 0] < 0.2


def test_poisson_draws_are_distributed_so():
    means = np.full((2000, 2), 20.0)
    means[:, 1] = 700.0
    drawn = poisson(5, streams.ARRIVALS, means)
    for column, mean in enumerate((20.0, 700.0)):
        assert drawn[:, column].mean() == pytest.approx(mean, rel=0.02)
        assert drawn[:, column].var() == pytest.approx(mean, rel=0.15)
    assert stats.chisquare(*_binned(drawn[:, 0], 20.0)).pvalue > 1e-3
    assert not poisson(5, streams.ARRIVALS, np.zeros((3, 3))).any()


def _binned(drawn, mean):
    edges = np.array([*range(11, 30, 2)])
    expected = np.diff(stats.poisson.cdf([-1, *edges, 10**6], mean)) * drawn.size
    observed = np.histogram(drawn, [-0.5, *(edges + 0.5), 1e6])[0]
    return observed, expected


def test_normal_draws_are_distributed_so():
    assert stats.kstest(normals(3, streams.NORMAL, 40, 50).ravel(), "norm").pvalue > 1e-3


@pytest.fixture(scope="module")
def drawn(regions):
    """Episodes of s1 by split."""
    region = regions["s1"]
    network = build_network(region)
    shape = WORKLOADS["sinusoidal"]
    made = {split: Generator(region, network, SCENARIOS["trap"], split, shape) for split in ("train", "val", "test")}
    return network, {split: [each.episode(1, seed) for seed in range(8)] for split, each in made.items()}


def test_the_load_is_as_stated(drawn):
    network, episodes = drawn
    work = np.mean([episode.total_work[0] for episode in episodes["train"]]) / SLOTS
    assert work / network.node["capacity"].sum() == pytest.approx(LOAD, rel=0.02)


def test_users_of_the_splits_live_at_different_places(regions, drawn):
    network, episodes = drawn
    work = {}
    for split, of_split in episodes.items():
        asked = sum(episode.node["arrivals"].sum(axis=0) @ np.array(WORK_SHARES) for episode in of_split)
        users = node_shares(regions["s1"].task_table(split)["node_id"].to_numpy(), network.node.size)
        work[split] = asked / asked.sum()
        assert work[split] == pytest.approx(demand_shares(users, network.node["capacity"]), rel=0.15)
    assert np.abs(work["train"] - work["test"]).sum() > 0.1


def test_no_two_splits_windows_or_seeds_share_draws():
    seeds = {episode_seed(split, window, seed) for split in range(3) for window in range(30) for seed in range(30)}
    assert len(seeds) == 2700
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_bandwidth_is_nominal_on_average_and_remembers(drawn):
    network, episodes = drawn
    there = network.link["neighbour"] >= 0
    mbps = np.array([episode.link["shares"][:, there] for episode in episodes["train"]]) * MB_PER_SHARE * 8.0
    nominal = network.link["bandwidth_mbps"][there]
    assert (mbps.mean(axis=(0, 1)) / nominal).mean() == pytest.approx(1.0, abs=0.05)
    logs = np.log(mbps) - np.log(mbps).mean()
    pairs = (logs - logs.mean(axis=(0, 1)))[:, :-1].ravel(), (logs - logs.mean(axis=(0, 1)))[:, 1:].ravel()
    assert np.corrcoef(*pairs)[0, 1] == pytest.approx(BANDWIDTH_RHO, abs=0.03)
    assert not episodes["train"][0].link["shares"][:, ~there].any()


def test_links_lead_back(drawn):
    network, _ = drawn
    for node, links in enumerate(network.link):
        for column, link in enumerate(links[: network.node[node]["degree"]]):
            back = network.link[link["neighbour"], link["source"] - 1]
            assert (back["neighbour"], back["source"]) == (node, 1 + column)
            assert back["latency_ms"] == link["latency_ms"]
