"""TopoFreeRL's environment: latency, cost, reward and three policies, from its published code.

An episode is one workflow of five stages, without queues. Between two servers there is one radio channel, whatever the
network; a link row or a trap adds to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.compat.data import LegacyData
from edgebench.compat.vamappo import distance_km

MS_PER_KM: Final = 0.005
FIXED_MS: Final = 5.0
BITS_PER_TOKEN: Final = 32.0
BANDWIDTH_HZ: Final = 20e6
POWER_DBM: Final = 23.0
NOISE_DBM: Final = -174.0 + 10.0
"""Thermal noise of one hertz and the noise figure."""
LEAST_BITS_PER_S: Final = 50e3
TRAP_MS: Final = (100.0, 200.0)
"""What a trap adds, either with chance one half."""
TOKENS_PER_S: Final = 2000.0
"""Of the server with most compute."""
COST_REF: Final = (0.00045, 0.15)
REWARD_WEIGHTS: Final = (0.45, 0.40, 0.15)
"""Of latency, cost and region switches; there is one region, so nothing is lost by switching."""
NETWORK_USD_PER_KB_MS: Final = 1.5e-4

Floats = NDArray[np.float64]


def token_count(size: float) -> int:
    """Tokens of a stage where no log states them: int(0.6 size) + int(0.4 size)."""
    return int(0.6 * size) + int(0.4 * size)


def channel_ms(km: Floats, tokens: float, generator: np.random.Generator) -> Floats:
    """Radio and propagation time over `km`, with drawn bandwidth, fading and interference."""
    bandwidth = BANDWIDTH_HZ * generator.uniform(0.25, 1.0, km.shape)
    gain = (0.1 / np.maximum(km, 0.1)) ** 2.5 * generator.exponential(1.0, km.shape)
    noise = 10.0 ** ((NOISE_DBM + 10.0 * np.log10(bandwidth)) / 10.0)
    interference = noise * generator.uniform(0.0, 10.0, km.shape)
    signal = 10.0 ** (POWER_DBM / 10.0) * gain
    bits_per_s = np.maximum(bandwidth * np.log2(1.0 + signal / (noise + interference)), LEAST_BITS_PER_S)
    return np.asarray(MS_PER_KM * km + 1000.0 * BITS_PER_TOKEN * tokens / bits_per_s + FIXED_MS)


def compute_ms(tokens: float, share: Floats) -> Floats:
    """Service time on servers whose compute is `share` of the strongest server's."""
    return 1000.0 * tokens / (TOKENS_PER_S * share)


def cost_factor(lat: Floats, lon: Floats, share: Floats) -> Floats:
    """Price of a server's work over the stated price, traps aside: between 0.3 and 3.5, lower for stronger servers."""
    place = np.mod(1000.0 * lon + 100.0 * lat, 100.0) / 100.0
    return np.clip((3.5 - 4.0 * (share - 0.25)) * (0.8 + 0.4 * place), 0.3, 3.5)


def reward(latency_ms: float, cost_usd: float) -> float:
    """The weighted sum of -4 latency/5 s and -4 (cost - least)/(most - least), both clipped to 0 … 1 before."""
    least, most = COST_REF
    slow = -4.0 * float(np.clip(latency_ms / 5000.0, 0.0, 1.0))
    dear = -4.0 * float(np.clip((cost_usd - least) / (most - least), 0.0, 1.0))
    return REWARD_WEIGHTS[0] * slow + REWARD_WEIGHTS[1] * dear


def network_cost_usd(tokens: float, network_ms: float) -> float:
    """4 bytes a token in KB, times the network time, times a constant price."""
    return 4.0 * tokens / 1024.0 * network_ms * NETWORK_USD_PER_KB_MS


@dataclass(frozen=True)
class Offer:
    """The instances of the wanted type and what each is estimated to take: row of models, ms, USD, compute share."""

    rows: NDArray[np.int64]
    latency_ms: Floats
    cost_usd: Floats
    share: Floats


Policy = Callable[[Offer, np.random.Generator], int]


def greedy_estimate(offer: Offer, _generator: np.random.Generator) -> int:
    """The least 0.6 latency/2 s + 0.4 cost/0.05 USD by the environment's own estimate."""
    return int(np.argmin(0.6 * offer.latency_ms / 2000.0 + 0.4 * offer.cost_usd / 0.05))


def greedy_compute(offer: Offer, _generator: np.random.Generator) -> int:
    """An instance on the strongest server."""
    return int(np.argmax(offer.share))


def random_valid(offer: Offer, generator: np.random.Generator) -> int:
    """Any instance of the type, all equally likely."""
    return int(generator.integers(len(offer.rows)))


POLICIES: Final[dict[str, Policy]] = {
    "greedy-estimate": greedy_estimate,
    "greedy-compute": greedy_compute,
    "random-valid": random_valid,
}


@dataclass(frozen=True)
class Score:
    """Means over the workflows of latency in ms, compute and network cost in USD, reward, and the share of stages that
    ran on a trap."""

    policy: str
    tasks: int
    latency_ms: float
    compute_usd: float
    network_usd: float
    reward: float
    trap_rate: float


class Model:
    """The static arrays of a data set: servers and instances by row, prices with a trap's own multiplier."""

    def __init__(self, data: LegacyData) -> None:
        self.lat, self.lon = data.column("servers", "lat"), data.column("servers", "lon")
        compute = data.column("servers", "compute")
        self.share = compute / compute.max()
        self.host, self.type = data.hosts(), data.column("models", "type")
        traps = data.traps
        names = data.servers["server"].to_list()
        self.trap = np.isin(names, [] if traps is None else list(traps.servers))
        factor = cost_factor(self.lat, self.lon, self.share)
        factor[self.trap] = 1.0 if traps is None else traps.cost_multiplier
        self.usd_per_token = data.column("models", "usd_per_1k") / 1000.0 * factor[self.host]
        row = {name: index for index, name in enumerate(names)}
        pairs = data.links.select("src", "dst", "latency_ms").iter_rows()
        self.link_ms = {(row[src], row[dst]): float(latency) for src, dst, latency in pairs}

    def add_on_ms(self, previous: int, servers: NDArray[np.int64], trap_ms: Floats | float) -> Floats:
        """What the way from `previous` (-1: the user) to each server adds: a trap's delay, the link's, or nothing."""
        linked = np.array([self.link_ms.get((previous, int(server)), 0.0) for server in servers])
        met = self.trap[servers] if previous < 0 else self.trap[servers] | self.trap[previous]
        return np.where(met, trap_ms, linked)


def score(data: LegacyData, policy: str, generator: np.random.Generator, split: str = "test") -> Score:
    """Play every workflow of `split` once with one of `POLICIES`; data of `builders.importers.topofreerl`."""
    model, tasks = Model(data), data.tasks.filter(data.tasks["split"] == split)
    played = np.array([_play(model, task, POLICIES[policy], generator) for task in tasks.iter_rows(named=True)])
    return Score(policy, tasks.height, *(float(value) for value in played.mean(axis=0)))


def _play(model: Model, task: dict[str, Any], policy: Policy, generator: np.random.Generator) -> tuple[float, ...]:
    """Latency, compute cost, network cost, mean reward and trap share of one workflow."""
    previous, totals, traps = -1, np.zeros(4), 0
    for stage, wanted in enumerate(task["route"]):
        tokens = float(task["tokens"][stage] if task["tokens"] else token_count(task["size"]))
        rows = np.flatnonzero(model.type == wanted)
        chosen = int(rows[policy(_offer(model, task, rows, previous, tokens, generator), generator)])
        server = model.host[chosen : chosen + 1]
        coin = generator.choice(TRAP_MS)
        network = float(_network_ms(model, task, server, previous, tokens, coin, generator)[0])
        latency = network + float(compute_ms(tokens, model.share[server])[0])
        cost = tokens * float(model.usd_per_token[chosen])
        totals += (latency, cost, network_cost_usd(tokens, network), reward(latency, cost))
        previous, traps = int(server[0]), traps + int(model.trap[server[0]])
    return (*totals, traps / len(task["route"]))


def _offer(
    model: Model, task: dict[str, Any], rows: NDArray[np.int64], previous: int, tokens: float,
    generator: np.random.Generator,
) -> Offer:  # fmt: skip
    """The estimates of all instances: the channel drawn anew, a trap at its mean."""
    servers = model.host[rows]
    network = _network_ms(model, task, servers, previous, tokens, sum(TRAP_MS) / 2.0, generator)
    share = model.share[servers]
    return Offer(rows, network + compute_ms(tokens, share), tokens * model.usd_per_token[rows], share)


def _network_ms(
    model: Model, task: dict[str, Any], servers: NDArray[np.int64], previous: int, tokens: float, trap_ms: float,
    generator: np.random.Generator,
) -> Floats:  # fmt: skip
    lat, lon = (task["lat"], task["lon"]) if previous < 0 else (model.lat[previous], model.lon[previous])
    km = distance_km(lat, lon, model.lat[servers], model.lon[servers])
    return channel_ms(km, tokens, generator) + model.add_on_ms(previous, servers, trap_ms)
