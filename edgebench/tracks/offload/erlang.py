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
    """Figures of the steady state, (loads,) each."""

    servers: Floats  # containers that are warm, on average
    utilisation: Floats  # share of them that serves
    response_s: Floats  # of a request that is served
    cold: Floats  # chance that a request starts a container
    refused: Floats  # requests a second that find all containers busy


def steady_state(arrivals: Floats, warm_s: float, cold_s: float, idle_s: float, most: int) -> Steady:
    """The steady state under Poisson arrivals.

    Args:
        arrivals: Requests a second, (loads,), above 0.
        warm_s: Service in a warm container.
        cold_s: The same in one that must be started first.
        idle_s: An idle container is removed after this time.
        most: Containers that may run at once.
    """
    busy = erlang_b(arrivals * warm_s, most)
    rates = arrivals[:, None]
    chances = _chances(_births(rates, cold_s, busy), _deaths(rates, warm_s, idle_s, busy))
    starts = busy.copy()
    starts[:, -1] = 0.0  # with all containers warm a request that finds them busy is refused
    cold, servers = (chances * starts).sum(axis=1), chances @ np.arange(most + 1)
    return Steady(
        servers=servers,
        utilisation=arrivals * (1.0 - cold) * warm_s / np.maximum(servers, _LEAST),
        response_s=(chances * (starts * cold_s + (1.0 - starts) * warm_s)).sum(axis=1),
        cold=cold,
        refused=arrivals * busy[:, -1] * chances[:, -1],
    )


def erlang_b(offered: Floats, most: int) -> Floats:
    """Chance that 0 … `most` servers are all busy under so many Erlang, (loads, most + 1), by the inverse recursion."""
    inverse = np.ones((offered.size, most + 1))
    with np.errstate(over="ignore"):
        for servers in range(1, most + 1):
            inverse[:, servers] = 1.0 + servers / offered * inverse[:, servers - 1]
    return np.asarray(1.0 / inverse)


def _births(arrivals: Floats, cold_s: float, busy: Floats) -> Floats:
    """Rates from k to k + 1 warm containers, (loads, most): one that is asked for, then started."""
    asked = arrivals * busy[:, :-1]
    return np.asarray(asked / (1.0 + asked * cold_s))


def _deaths(arrivals: Floats, warm_s: float, idle_s: float, busy: Floats) -> Floats:
    """Rates from k to k - 1, (loads, most): of k containers each is removed when not asked for long enough.

    Container j is asked for at the rate at which j - 1 overflow and j do not.
    """
    asked = np.maximum(-arrivals * np.diff(busy, axis=1), _LEAST)
    horizon = idle_s + warm_s
    with np.errstate(over="ignore", invalid="ignore"):
        rounds = np.exp(idle_s * asked)
        gap = -np.expm1(-asked * horizon) / asked - horizon * np.exp(-asked * horizon)
        life = idle_s + (rounds - 1.0) * gap
    return np.asarray(np.cumsum(1.0 / life, axis=1))


def _chances(births: Floats, deaths: Floats) -> Floats:
    """Stationary distributions of birth-death chains, (loads, most + 1)."""
    steps = np.log(np.maximum(births, _LEAST)) - np.log(np.maximum(deaths, _LEAST))
    logs = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
