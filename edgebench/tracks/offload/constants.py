"""Every number of the Offload track, each with its source or derivation."""

from __future__ import annotations

from typing import Final

# --- time ----------------------------------------------------------------------------------------
SLOTS: Final = 120
"""Decisions of an episode, one a slot of `TRAP_SLOT_MS` = 1 s: five bad spells of a trap link, one period of the
sinusoid, which is a day in small."""
DEADLINE_SLOTS: Final = (2, 3, 4)
"""Slots in which a request of each class may be served, that of its arrival the first: an answer within 2 s keeps a
user's flow, and a longer one is waited for if more is done (Nielsen, Usability Engineering, 1993: 1 s and 10 s)."""
AGES: Final = max(DEADLINE_SLOTS)
"""Slots a request can be under way, of any class."""

# --- requests ------------------------------------------------------------------------------------
CLASSES: Final = ("light", "medium", "heavy")
"""Classes of requests; the index is the class's code in every array. All are equally frequent (DFaaS, as below)."""
WORK_SHARES: Final = (5, 15, 25)
"""CPU shares a request takes, of a node's in one slot: the means of DFaaS's classes A, B and C, 5.5, 15.5 and 25.5
(doi 10.1109/IPDPSW66978.2025.00176), without their spread. A request's worth is its work, as functions are billed."""
MEMORY_MB: Final = (13, 38, 63)
"""Memory a request holds from its admission to its end (the same source)."""
MB_PER_SHARE: Final = 0.012
"""Megabytes sent a CPU share: 0.06 with a light request (a prompt with its context), 0.18 and 0.3 with the others (a
small and a large photograph as JPEG). The same in every class, so that worth, work and bytes are one measure."""

# --- nodes and links -----------------------------------------------------------------------------
SHARES_PER_COMPUTE: Final = 28.0
"""CPU shares a slot and unit of compute: 1,000 at 35 units, the mean of the standard regions, as DFaaS's nodes have."""
MEMORY_MB_PER_GB: Final = 320.0
"""Memory for requests a gigabyte of a node's storage: 8,000 MB at 25 GB (DFaaS's nodes); the rest holds models."""
BANDWIDTH_RHO: Final = 0.88
"""Correlation of a link's log bandwidth from slot to slot: lag 1 of a month of 5G throughput, 0.883."""
BANDWIDTH_SIGMA: Final = 0.45
"""Standard deviation of the log bandwidth: sqrt(log(1 + (33.5 / 71.1)^2)), from mean and deviation of that series."""

# --- workload ------------------------------------------------------------------------------------
LOAD: Final = 0.75
"""Work asked for over the shares of all nodes, on average. Calibrated by the gate."""
PROVISION: Final = 0.5
"""A node is asked for its capacity times (its share of users / its share of capacity) to this power: capacity is
built where users are, though never just so. EdgeBench's choice; 1 is no provision at all, 0 a perfect one."""
SWING: Final = 0.9
"""Swing of the sinusoid about its mean: DFaaS's 70 + 65 sin, 65/70 = 0.93, rounded down: no node falls silent."""
NORMAL_SPREAD: Final = 0.52
"""Standard deviation over mean of the workload `normal`: DFaaS's N(61, 32)."""
STEP_LEVELS: Final = (0.25, 1.75)
"""Levels of the workload `step`, before and after the middle or the other way round; their mean is 1."""
BURST_LEVEL: Final = 3.0
"""In the workload `burst`, load within a burst over the usual; EdgeBench's choice."""
BURST_SLOTS: Final = 10
"""Length of such a burst, and mean gap between two is `BURST_GAP_SLOTS`,"""
BURST_GAP_SLOTS: Final = 40
"""so that a node is in a burst a fifth of the time."""

# --- worth ---------------------------------------------------------------------------------------
REJECT_COST: Final = 0.25
"""What a request that is rejected at once costs, over the worth of one on time: its user may ask elsewhere in time."""
LOSS_COST: Final = 1.0
"""What a request costs that was taken on and then lost: late, refused by a full node, or on a node that failed."""
RESPONSE_BIN_MS: Final = 20.0
"""Width of the bins in which response times are counted, and so what their percentiles are good to."""

# --- serverless physics --------------------------------------------------------------------------
CONTAINER_MB: Final = 256
"""Memory of a container: DFaaS draws 128 to 1,024 MB."""
WARM_S: Final = 0.45
"""Service in a warm container at a node of 1,000 CPU shares; DFaaS draws 0.1 to 0.5 s. A node of 8,000 MB then serves
31 / 0.45 = 69 requests a slot at most, about the 67 that its shares do with queues."""
COLD_S: Final = 0.9
"""The same in a container that must be started first: twice as long; DFaaS draws 0.25 to 0.75 s, no less than warm."""
IDLE_S: Final = 30.0
"""An idle container is removed after this time (DFaaS)."""
