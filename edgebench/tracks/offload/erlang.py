"""What a node of warm and cold containers does in steady state: requests refused and response time by load.

The model of Mahmoudi and Khazaei, "Performance modeling of serverless computing platforms", IEEE Transactions on Cloud
Computing 10(4), 2022: Erlang's loss formula for the warm containers, and a birth-death chain of their number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LEAST: float = float(np.finfo(np.float64).tiny)


class Steady(NamedTuple):
    """Figures of the steady state."""

    servers: float  # containers that are warm, on average
    utilisation: float  # share of them that serves
    response_s: float  # of a request that is served
    cold: float  # chance that a request starts a container
    refused: float  # requests a second that find all containers busy


def steady_state(arrivals: float, warm_s: float, cold_s: float, idle_s: float, most: int) -> Steady:
    """The steady state under Poisson arrivals.

    Args:
        arrivals: Requests a second, above 0.
        warm_s: Service in a warm container.
        cold_s: The same in one that must be started first.
        idle_s: An idle container is removed after this time.
        most: Containers that may run at once.
    """
    busy = erlang_b(arrivals * warm_s, most)
    chances = _chances(_births(arrivals, cold_s, busy), _deaths(arrivals, warm_s, idle_s, busy))
    starts = np.append(busy[:-1], 0.0)  # with all containers warm a request that finds them busy is refused
    cold = float(chances @ starts)
    servers = float(chances @ np.arange(most + 1))
    return Steady(
        servers=servers,
        utilisation=arrivals * (1.0 - cold) * warm_s / max(servers, _LEAST),
        response_s=float(chances @ (starts * cold_s + (1.0 - starts) * warm_s)),
        cold=cold,
        refused=float(arrivals * busy[-1] * chances[-1]),
    )


def erlang_b(offered: float, most: int) -> Floats:
    """Chance that 0 … `most` servers are all busy under so many Erlang, (most + 1,), by the inverse recursion."""
    inverse = np.ones(most + 1)
    with np.errstate(over="ignore"):
        for servers in range(1, most + 1):
            inverse[servers] = 1.0 + servers / offered * inverse[servers - 1]
    return np.asarray(1.0 / inverse)


def _births(arrivals: float, cold_s: float, busy: Floats) -> Floats:
    """Rates from k to k + 1 warm containers, (most,): one that is asked for, then started."""
    asked = arrivals * busy[:-1]
    return np.asarray(asked / (1.0 + asked * cold_s))


def _deaths(arrivals: float, warm_s: float, idle_s: float, busy: Floats) -> Floats:
    """Rates from k to k - 1, (most,): of k containers each is removed when nobody has asked for it long enough.

    Container j is asked for at the rate at which j - 1 overflow and j do not.
    """
    asked = np.maximum(-arrivals * np.diff(busy), _LEAST)
    horizon = idle_s + warm_s
    with np.errstate(over="ignore", invalid="ignore"):
        rounds = np.exp(idle_s * asked)
        gap = -np.expm1(-asked * horizon) / asked - horizon * np.exp(-asked * horizon)
        life = idle_s + (rounds - 1.0) * gap
    return np.asarray(np.cumsum(1.0 / life))


def _chances(births: Floats, deaths: Floats) -> Floats:
    """Stationary distribution of a birth-death chain, (most + 1,)."""
    steps = np.log(np.maximum(births, _LEAST)) - np.log(np.maximum(deaths, _LEAST))
    logs = np.append(0.0, np.cumsum(steps))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())
