"""The reference bound of the Offload track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgebench.region import Region
from edgebench.registry import Scenario
from edgebench.tracks.offload.flow_bound import value_bound
from edgebench.tracks.offload.generator import Generator
from edgebench.tracks.offload.network import build_network
from edgebench.tracks.offload.workloads import DEFAULT_WORKLOAD, find_workload


def episode_bounds(
    region: Region, *, scenario: Scenario, split: str, episodes: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """A bound of `value` in each episode (window, scenario seed), (E,), for queues under the default workload.

    The most work that somebody who knows all that will happen could have done on time, as a maximum flow through the
    network expanded in time; what is left is rejected, what arises at a node that is down is lost. What a policy has
    done on time is such a flow, so none passes it (`edgebench.tracks.offload.flow_bound` tells what is left out).
    """
    network = build_network(region)
    generator = Generator(region, network, scenario, split, find_workload(DEFAULT_WORKLOAD, split))
    return np.array([value_bound(network, generator.episode(*episode)) for episode in episodes], np.float64)
