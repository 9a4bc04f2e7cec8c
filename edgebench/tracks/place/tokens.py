"""Routes of tokens through a mixture-of-experts model, drawn with the statistics that were measured on a real one.

Popularity within a layer is a Zipf law that walks in time and depends on the request's domain; a share of the tokens
goes from each expert to the one that its tokens favour in the next layer. Measured: `edgebench.tracks.place.constants`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled, part
from edgebench.sim.counter import uniform
from edgebench.tracks.place import streams
from edgebench.tracks.place.constants import (
    AFFINITY,
    DOMAIN_SHARE,
    DOMAINS,
    EXPERTS,
    HOME_SHARE,
    LAYERS,
    WALK_NOISE,
    WALK_RATE,
    WALK_SWING,
    ZIPF,
    ZIPF_SHIFT,
)

Floats = NDArray[np.float64]
_RANK, _PHASE, _NOISE = streams.RANK, streams.WALK_PHASE, streams.WALK_NOISE
_ROUTE, _DOMAIN = streams.ROUTE, streams.REQUEST_DOMAIN
_UNIT_SPREAD: Final = 12.0**0.5
"""Width of a uniform distribution whose standard deviation is 1."""


class Model(NamedTuple):
    """How a model's gates pick: E experts, L layers, D domains, T slots of the walk."""

    share: Floats  # (T, D, L, E) popularity of the experts of a layer in a slot, each row summing to 1
    follower: NDArray[np.int64]  # (L, E) the expert of the next layer that an expert's tokens favour
    affinity: float  # share of the tokens that go there


def draw_model(
    seed: int, slots: int, *, experts: int = EXPERTS, layers: int = LAYERS, affinity: float = AFFINITY
) -> Model:
    """A model and the walk of its popularity over `slots` slots.

    Args:
        seed: Of the model.
        slots: Of the episode; slot 0 is the popularity that history was drawn with.
        experts: Of a layer.
        layers: Of the model.
        affinity: Share of tokens that go on to the favoured expert.
    """
    rank = np.array(
        [[_ranks(seed, domain * layers + layer, experts) for layer in range(layers)] for domain in range(DOMAINS + 1)]
    )
    law = (np.arange(1, experts + 1) + ZIPF_SHIFT) ** -ZIPF
    share = np.empty((DOMAINS + 1, layers, experts))
    np.put_along_axis(share, rank, np.broadcast_to(law / law.sum(), share.shape), axis=2)
    follower = np.empty((layers, experts), np.int64)
    np.put_along_axis(follower, rank[0], np.roll(rank[0], -1, axis=0), axis=1)
    walk = _walk(seed, share[0], slots)
    mixed = (1.0 - DOMAIN_SHARE) * walk[:, None] + DOMAIN_SHARE * share[None, 1:]
    return Model(mixed, follower, affinity)


def _ranks(seed: int, entity: int, experts: int) -> NDArray[np.int64]:
    """The experts of a layer from the most to the least popular."""
    return np.argsort([uniform(seed, _RANK, entity, expert) for expert in range(experts)])


@compiled
def _walk(seed: int, share: Floats, slots: int) -> Floats:
    """The popularity of all domains, (slots, L, E), from `share`, (L, E), in slot 0."""
    layers, experts = share.shape
    walk = np.empty((slots, layers, experts))
    walk[0] = share
    for slot in range(1, slots):
        for layer in range(layers):
            for expert in range(experts):
                entity = layer * experts + expert
                turn = WALK_RATE * slot + 2.0 * np.pi * uniform(seed, _PHASE, entity, 0)
                noise = _UNIT_SPREAD * (uniform(seed, _NOISE, entity, slot) - 0.5)
                change = (WALK_SWING * np.sin(turn) + WALK_NOISE * noise) / experts
                walk[slot, layer, expert] = max(0.0, walk[slot - 1, layer, expert] + change)
            walk[slot, layer] /= walk[slot, layer].sum()
    return walk


@compiled
def draw_domain(seed: int, home: int, request: int, slot: int) -> int:
    """The domain of a request from a node whose home domain is `home`."""
    if uniform(seed, _DOMAIN, request, 2 * slot) < HOME_SHARE:
        return home
    return int(uniform(seed, _DOMAIN, request, 2 * slot + 1) * DOMAINS)


@compiled
def draw_routes(model: Model, seed: int, slot: int, domain: int, first_row: int, routes: NDArray[np.int16]) -> None:
    """Draw the routes of the rows of a request into `routes`, (rows, L); `first_row` is the first's number."""
    share = model.share[slot, domain]
    for row in range(routes.shape[0]):
        expert = 0
        for layer in range(share.shape[0]):
            drawn = uniform(seed, _ROUTE, first_row + row, layer)
            if layer > 0 and drawn < model.affinity:
                expert = model.follower[layer - 1, expert]
            else:
                left = drawn if layer == 0 else (drawn - model.affinity) / (1.0 - model.affinity)
                expert = _pick(share[layer], left)
            routes[row, layer] = expert


@part
def _pick(share: Floats, drawn: float) -> int:
    """The expert at which the sum of shares passes `drawn`, the last where rounding leaves none."""
    for expert in range(share.size):
        drawn -= share[expert]
        if drawn < 0.0:
            return expert
    return int(share.size - 1)
