"""The draws of the Offload track."""

from __future__ import annotations

from typing import Final

from edgebench.sim.counter import Stream

OFFLOAD_EPISODE: Final = 41
ARRIVALS: Final = 42
PHASE: Final = 43
NORMAL: Final = 44
STEP: Final = 45
BURST: Final = 46
GROWTH: Final = 47
BANDWIDTH: Final = 48
FUNCTION: Final = 49

STREAMS: Final = (
    Stream(
        OFFLOAD_EPISODE,
        "OFFLOAD_EPISODE",
        "split and window",
        "0",
        "the seed of an episode's draws, from the scenario's",
    ),
    Stream(ARRIVALS, "ARRIVALS", "piece, node and class", "slot of 1 s", "how many requests arrive"),
    Stream(PHASE, "PHASE", "0", "0", "workload sinusoidal: the time of day at which the episode begins"),
    Stream(NORMAL, "NORMAL", "node", "slot of 1 s, twice", "workload normal: the load of a slot"),
    Stream(STEP, "STEP", "node", "0", "workload step: whether the load falls or rises"),
    Stream(BURST, "BURST", "node", "slot of 1 s", "workload burst: whether a burst begins"),
    Stream(GROWTH, "GROWTH", "node", "0 first, 1 last", "workload growth: the load at either end of the episode"),
    Stream(BANDWIDTH, "BANDWIDTH", "node and neighbour", "slot of 1 s, twice", "what moves a link's bandwidth"),
    Stream(FUNCTION, "FUNCTION", "node", "0", "workload of Azure: which function's day a node is asked for"),
)
