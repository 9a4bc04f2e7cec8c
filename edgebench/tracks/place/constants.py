"""The numbers of the Place track, each with its source or derivation; those of all tracks: `edgebench.constants`."""

from __future__ import annotations

from typing import Final

# --- the model -----------------------------------------------------------------------------------
EXPERTS: Final = 16
"""Experts of a layer (E). The earlier system has 32 in four layers; 16 keep the flat mask below 2,000 entries."""
LAYERS: Final = 4
"""Layers (L) in which a token picks an expert, one in each (top-1, as in the Switch Transformer)."""
MODEL_GB: Final = 90.0
"""Memory of all experts: 64 of 1.4 GB. One is a block of eight feed-forward layers as wide as Mixtral 8x7B's (three
matrices of 4,096 x 14,336: 176 million weights, Jiang et al., arXiv 2401.04088) at 8 bits."""
MODEL_WORK: Final = 0.56 * LAYERS
"""Work of a token over all layers, in units of `edgebench.constants.WORK`: 1.4 billion weights a layer, where one
unit is a model of 2.5 billion (`edgebench.constants.MEMORY_GB` against `WORK`, 16 bits a weight)."""
TOKEN_MB: Final = 0.0041
"""The hidden state of a token on the way: 4,096 values at 8 bits, as DeepSeek-V3 dispatches (arXiv 2412.19437)."""
STREAM_GB_PER_S: Final = 200.0
"""Reading an expert's weights once a batch and layer from a device's memory (LPDDR5 of a Jetson AGX Orin: 204.8)."""

# --- devices -------------------------------------------------------------------------------------
DEVICES: Final = 8
"""Devices (G), the same number in every region."""
MEMORY_SHARE: Final = 0.65
"""Share of a device's storage that experts may take; attention layers, caches and the activations of a batch take the
rest. EdgeBench's choice: memory holds a third more than one copy of each expert, so that copies compete."""
STORE_GB_PER_S: Final = 0.2
"""Reading an expert from a device's store, which holds the whole model, into its memory: half of what the bus of
eMMC 5.1 takes (0.4 GB/s), as it reads while it serves. Calibrated by the gate (needless loading costs)."""
ROUTER_LOST_MS: Final = 10_000.0
"""A token sent to a device that is down is given up after this time and goes on without the expert: longer than any
bad trap link adds (`edgebench.constants.TRAP_EXTRA_MS`)."""

# --- episodes ------------------------------------------------------------------------------------
PLAN_EDITS: Final = 96
"""Edits before the first batch, in which no token flows: one and a half for every expert, enough to reach any
placement without copies and most with them."""
SLOTS: Final = 64
"""Batches of an episode, one a slot of 1 s, each after one edit (the earlier system walks 64 time steps too)."""
REQUESTS: Final = 8
"""Requests (Q) of a batch, each from one node."""
REQUEST_ROWS: Final = 32
"""Rows of a request; a row is `ROW_TOKENS` successive tokens that take the same route."""
ROW_TOKENS: Final = 8
"""Tokens of a row: 2,048 a batch. Calibrated by the gate (network, compute and traps all weigh)."""
PROFILE_REQUESTS: Final = 32
"""Requests served before the episode of which every agent is shown all routes: 1,024 rows, half of the log of 2,048
tokens on which the earlier system's routes were measured."""

# --- routes of tokens ----------------------------------------------------------------------------
ZIPF: Final = 1.8
ZIPF_SHIFT: Final = 2.0
"""The k-th most popular expert is picked in proportion to `(k + shift)^-ZIPF` (Zipf and Mandelbrot). Calibrated, with
the shares below, on a log of 2,048 tokens and 64 experts that was measured: the hottest expert of a layer has 5-13
times the mean, the entropy of a layer is 4.5-5.1 bits."""
AFFINITY: Final = 0.48
"""Share of tokens that go on to the one expert of the next layer that this expert's tokens favour. With 16 experts that
makes one bit of mutual information between neighbouring layers, as much as was measured."""
DOMAINS: Final = 4
"""Domains of requests (code, talk, ...), each with popular experts of its own."""
DOMAIN_SHARE: Final = 0.3
"""Share of the other picks that follow the popularity within the domain; the rest follows that of all."""
HOME_SHARE: Final = 0.7
"""Share of a node's requests that are of its home domain; the rest is of any. Nodes from west to east have the domains
in turn as home (locality: edge users near each other ask alike, Prism, arXiv 2508.12851)."""
WALK_SWING: Final = 0.08
WALK_NOISE: Final = 0.04
WALK_RATE: Final = 0.01
"""Popularity walks by `swing * sin(rate * slot + phase) + noise * N(0, 1)` mean shares a slot, never below 0: the
walk of the earlier system, 0.01 and 0.005 of a whole of 8 experts, whose mean share is 1/8."""

# --- what is remembered --------------------------------------------------------------------------
LOAD_ALPHA: Final = 0.1
"""Weight of a new batch in the moving averages of load and affinity (the earlier system's popularity: 0.1)."""
