"""Every number the physics, the workloads and the scoring rest on, each with its source or derivation.

Move a constant here and nowhere else. `edgebench gate` tells whether the problem is still sound.
"""

from __future__ import annotations

from typing import Final

MODEL_TYPES: Final = ("text", "image", "video")
"""Text to text, text to image, image to video; the index is the type's code in every array."""

# --- network -------------------------------------------------------------------------------------
FIBRE_MS_PER_KM: Final = 0.0049
"""Light in glass of refractive index 1.468 (ITU-T G.652 fibre): 299,792 km/s / 1.468."""
ROUTE_FACTOR: Final = 1.4
"""Fibre length over great-circle distance; EdgeBench's choice inside the 1.2–2 usual for terrestrial routes."""
HOP_MS: Final = 0.33
"""Forwarding per link: the intercept of latency over distance in TopoFreeRL's link table (0.330 ms)."""
LINK_MBPS: Final = (10, 20, 40, 80)
"""Capacity of a link left to one transfer: a share of a backhaul that many cells use at once. The earlier data sets
state 50 for every link; calibrated by the gate (network is 8 % of latency or more)."""
PAYLOAD_MB: Final = (0.06, 3.0, 16.0)
"""What a stage of each type yields and the next stage must be sent: text with context, a lossless image of about
1024 × 1024 pixels, a clip of some ten seconds at 12 Mbit/s."""
PROMPT_MB: Final = 0.06
"""What the user sends with a task."""

# --- nodes ---------------------------------------------------------------------------------------
TOKENS_PER_S_PER_COMPUTE: Final = 50.0
"""Tokens of unit work a second and compute unit: 16–54 units give 800–2,700 tokens/s, one accelerator's batch rate
for models of a few billion parameters. Calibrated by the gate (service is 8 % of latency or more)."""
LOAD_GB_PER_S: Final = 2.0
"""Reading weights from a node's NVMe store into accelerator memory."""
TELEMETRY_MS: Final = 2000.0
"""Queue lengths are published once in this period and are that old at most."""

# --- traps ---------------------------------------------------------------------------------------
TRAP_CROSSINGS: Final = 1.5
"""The busiest links are traps until a path meets this many on average, so that traps weigh alike in every region,
whatever the length of its paths (TopoFreeRL: all links of 10 % of the nodes, which are 20 % of the links)."""
TRAP_SHARE_MOST: Final = 0.25
"""No more than this share of the links are traps, which binds in small networks only."""
TRAP_SLOT_MS: Final = 1000.0
"""A trap link may change state once in this period (a Gilbert–Elliott chain), a node fail or be back."""
TRAP_SLOTS: Final = 256
"""Slots drawn per episode; after the last one its state holds."""
TRAP_ENTER: Final = 0.016
"""Chance per slot that a good trap link turns bad."""
TRAP_LEAVE: Final = 0.04
"""Chance per slot that a bad trap link recovers: bad spells last 25 s on average, 29 % of the time."""
TRAP_EXTRA_MS: Final = (2000.0, 7000.0)
"""Extra delay of a bad trap link, uniform per link and slot; it starts at TopoFreeRL's flat trap latency of 2,000 ms.
Calibrated by the gate (without memory of traps the tuned heuristic loses 2 points or more)."""
TRAP_COIN_CHANCE: Final = 0.5
"""Chance per slot that a coin trap is bad (TopoFreeRL's environment: one half, drawn at every crossing)."""
TRAP_COIN_MS: Final = (100.0, 200.0)
"""Extra delay of a coin trap, good and bad (TopoFreeRL's environment: 200 ms with the chance above, else 100 ms)."""
TRAP_FLAT_MS: Final = 2000.0
"""Extra delay of a flat trap, which is always bad (TopoFreeRL's trap_config: trap_latency)."""
TRAP_FLAT_MBPS: Final = 1.0
"""Bandwidth of a flat trap (TopoFreeRL's trap_config: trap_bandwidth)."""
MEASURE_ALPHA: Final = 0.8
"""Weight of a new delay measurement in a link's moving average (TopoFreeRL takes 0.5; bad spells are seldom met twice
in an episode, so the last measurement counts most)."""
MEASURE_MEMORY_MS: Final = 25000.0
"""The moving average fades with this time constant: the mean length of a bad spell, 1/0.04 slots."""

# --- scenarios -----------------------------------------------------------------------------------
CROWDS: Final = 2
"""Flash crowds an episode in `burst`."""
CROWD_TASKS: Final = 15
"""Tasks of a flash crowd; TopoFreeRL's bursts have 10."""
CROWD_SPEEDUP: Final = 5.0
"""Within a flash crowd tasks come this many times as fast: 1.5 times what the scarcest models can serve
(`TARGET_UTILISATION` × 5)."""
CROWD_SLOTS: Final = 15
"""Length of a flash crowd in tracks that go by slots: a second for each of its tasks."""
OUTAGE_ENTER: Final = 0.003
"""Chance per slot that a node fails in `outage`; EdgeBench's choice: 6 % of the nodes are down at a time."""
OUTAGE_LEAVE: Final = 0.05
"""Chance per slot that a failed node is back: outages last 20 s on average, longer than a deadline."""
DRIFT_MS: Final = 40_000.0
"""In `drift` a trap link is harmless for half of this period and a trap for the other half."""
DRIFT_BLUR: Final = 0.5
"""In `drift` tasks come from west to east; this share of the region's width blurs the order."""
DRIFT_WIDTH: Final = 0.3
"""In `drift`, in tracks that go by slots, the load is a bell of this standard deviation, in widths of the region."""
JITTER_CHANCE: Final = 0.4
"""Chance per slot that the way between two nodes is late in `jitter` (TopoFreeRL: 0.8 on half of the links)."""
JITTER_MS: Final = (500.0, 1500.0)
"""What a late way takes longer, uniform (TopoFreeRL's link jitter)."""

# --- utility -------------------------------------------------------------------------------------
COST_WEIGHT: Final = 0.1
"""Weight of cost in a task's utility; quality and speed weights are the user's and sum to 1."""
COST_REF_USD: Final = 0.05
"""Cost of a task that loses the whole cost weight."""
FAIL_FACTOR: Final = 2.0
"""A task that takes longer than this many deadlines has failed."""

# --- spaces --------------------------------------------------------------------------------------
CANDIDATES: Final = 32
"""Instances offered per decision (K), the same in every region."""
MAX_STAGES: Final = 10
"""Longest workflow."""

# --- episodes ------------------------------------------------------------------------------------
WINDOW_TASKS: Final = 50
"""Tasks in an episode."""
EVAL_SEEDS: Final = 5
"""Scenario seeds each window is evaluated under: 200 test tasks give 4 × 5 = 20 episodes."""
GATE_SEEDS: Final = 3 * EVAL_SEEDS
"""Those of the gate and of tables whose differences are of few points."""

# --- workload (builders) ---------------------------------------------------------------------------
SPLIT_TASKS: Final = {"train": 1000, "val": 200, "test": 200}
"""Tasks a split."""
SPLIT_USERS: Final = {"train": 200, "val": 200, "test": 200}
"""Users a split; users of different splits live at different sites."""
QUALITY_WEIGHTS: Final = ((0.05, 0.35), (0.65, 0.95))
"""Least and most weight of quality of two equal groups of users: those in a hurry and those who are particular."""
STAGES_PER_TASK: Final = 5
"""Length of a chain workflow (VAMAPPO, TopoFreeRL)."""
CHAIN_STAGES: Final = (2, MAX_STAGES)
"""Fewest and most stages of chains of several lengths, all equally likely; TopoFreeRL studies 2, 3 and 5."""
EXPERT_ZIPF: Final = 1.0
"""Of the experts of a kind the k-th is asked in proportion to k to the minus this power: the load of experts is
skewed in every mixture measured; the power is EdgeBench's choice."""
FIRST_TYPE: Final = (0.7, 0.3, 0.0)
"""Type of the first stage; a clip needs an image first."""
NEXT_TYPE: Final = ((0.50, 0.35, 0.15), (0.45, 0.25, 0.30), (0.60, 0.40, 0.0))
"""Type of the next stage by the type of this one; near the shares of VAMAPPO's workflows."""
TOKENS: Final = ((250.0, 0.7, 20, 2000), (500.0, 0.4, 100, 2000), (1200.0, 0.3, 300, 3000))
"""Tokens of a stage by type: log-normal median and sigma, least, most."""
DEADLINE_MS: Final = 14000.0
"""A task's deadline, unless its workflow takes longer. Five stages at the seconds that users wait for generated text
and images; calibrated by the gate."""
DEADLINE_SLACK: Final = 1.25
"""Least deadline over the quickest plan of a task that has the network to itself."""
TARGET_UTILISATION: Final = 0.3
"""Offered load over capacity of the scarcest model type, loading left out; sets the arrival rate of a region."""

# --- arrivals (builders) --------------------------------------------------------------------------
BURST_TASKS: Final = 10
"""Tasks of a burst (TopoFreeRL)."""
BURST_GAPS_MS: Final = ((20000.0, 25000.0), (500.0, 600.0))
"""Gap before a burst and gaps within it, uniform (TopoFreeRL); scaled as a whole to the region's rate."""
ON_OFF_S: Final = (10.0, 15.0)
"""Seconds with and without arrivals (TopoFreeRL); scaled so that an on-period has `ON_TASKS`."""
ON_TASKS: Final = 10.0 / 1.1
"""Tasks of an on-period, on average: TopoFreeRL's gaps there are 1–1.2 s."""
DIURNAL_SWING: Final = 0.8
"""Swing of the diurnal rate about its mean: the busiest hour asks nine times as often as the quietest.
EdgeBench's choice, as is the hour."""
DIURNAL_PEAK_HOUR: Final = 16.0
"""Local solar hour at which a user asks most."""

# --- catalogue (builders) -------------------------------------------------------------------------
MODELS: Final = (191, 30, 6)
"""Models a type (VAMAPPO's deployment: 227 rows, 191/30/6)."""
LEAST_MODELS: Final = 4
"""Fewest models of an expert, however many experts share the models of a kind."""
MEMORY_GB: Final = ((2.0, 12.0), (6.0, 12.0), (10.0, 14.0))
"""Weights in memory by type, least and most: text models of 1–6 B parameters at 16 bits, image and video diffusion
models. The most fits every node's storage where the type may be placed."""
WORK: Final = ((0.5, 2.0), (1.0, 3.0), (2.0, 4.0))
"""Work per token by type, least and most, rising with memory."""
QUALITY_MEAN: Final = (0.58, 0.61, 0.63)
"""Mean quality by type (VAMAPPO's catalogue)."""
PRICE_USD_PER_1K: Final = ((0.0005, 0.01), (0.005, 0.02), (0.01, 0.03))
"""Price by type, least and most, rising with work."""

# --- placement (builders) -------------------------------------------------------------------------
TILE_NODES: Final = 25
"""Nodes among which the whole catalogue is placed once more by tiled placement (TopoFreeRL: 4,540 instances on 500)."""
POPULAR_COPIES: Final = 2
"""Instances a model of a type, on average, by popularity: one each, the rest shared out in proportion to 1/rank."""
