"""The track's draws by counter."""

from __future__ import annotations

from typing import Final

from edgebench.sim.counter import Stream

MODEL: Final = 61
TOKENS: Final = 62
RANK: Final = 63
WALK_PHASE: Final = 64
WALK_NOISE: Final = 65
REQUEST_NODE: Final = 66
REQUEST_DOMAIN: Final = 67
ROUTE: Final = 68
SEARCH: Final = 69

STREAMS: Final = (
    Stream(MODEL, "MODEL", "window", "code of the split", "the seed of the model that a window serves"),
    Stream(TOKENS, "TOKENS", "window", "code of the split", "the seed of an episode's tokens"),
    Stream(RANK, "RANK", "layer of a domain, those of all domains first", "expert", "the order of popularity"),
    Stream(WALK_PHASE, "WALK_PHASE", "expert of a layer", "0", "the phase of the walk of its popularity"),
    Stream(WALK_NOISE, "WALK_NOISE", "expert of a layer", "slot of 1 s", "the noise of that walk"),
    Stream(REQUEST_NODE, "REQUEST_NODE", "request, those of the profile last", "slot of 1 s", "where it arises"),
    Stream(
        REQUEST_DOMAIN, "REQUEST_DOMAIN", "request", "slot of 1 s; 1 s later, which", "whether it is of the home domain"
    ),
    Stream(ROUTE, "ROUTE", "row of the episode", "layer", "which expert the gate of a layer picks"),
    Stream(SEARCH, "SEARCH", "step of the bound's annealing", "draw of the step", "which edit is tried, whether taken"),
)
"""Every draw of the track; the entities count as the comments in `tokens` say."""
