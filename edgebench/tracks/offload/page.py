"""The words of the Offload environments' documentation pages, built from the tables of what they speak of."""

from __future__ import annotations

from typing import Final

from edgebench.registry import DEFAULT_SCENARIO, SCENARIOS
from edgebench.sim.features import Feature
from edgebench.tracks.offload.constants import (
    CLASSES,
    DEADLINE_SLOTS,
    LOSS_COST,
    MB_PER_SHARE,
    MEMORY_MB,
    REJECT_COST,
    SLOTS,
    WORK_SHARES,
)
from edgebench.tracks.offload.features import LABELS, NEIGHBOUR_FEATURES, NODE_FEATURES, F, G, L
from edgebench.tracks.offload.policies import OTHERS
from edgebench.tracks.offload.state import C, D
from edgebench.tracks.offload.telemetry import PERIOD_SLOTS
from edgebench.tracks.offload.workloads import DEFAULT_WORKLOAD, WORKLOADS


def table(features: tuple[Feature, ...]) -> str:
    """Features as rows of a Markdown table, indented as a class's docstring is."""
    rows = [
        f"    | {index} | `{row.name}` | {row.low:g} | {row.high:g} | {row.meaning} |"
        for index, row in enumerate(features)
    ]
    return "\n".join(["    | index | name | min | max | meaning |", "    | --- | --- | --- | --- | --- |", *rows])


def _named(names: object) -> str:
    return ", ".join(f"`{name}`" for name in names)  # type: ignore[attr-defined]


_REQUESTS: Final = "\n".join(
    [
        "    | class | CPU shares | memory MB | sent MB | served within |",
        "    | --- | --- | --- | --- | --- |",
        *(
            f"    | {name} | {work} | {memory} | {work * MB_PER_SHARE:g} | {slots} slots |"
            for name, work, memory, slots in zip(CLASSES, WORK_SHARES, MEMORY_MB, DEADLINE_SLOTS, strict=True)
        ),
    ]
)

WORLD: Final = f"""Every node is asked for requests by its own users, a slot of 1 s at a time, {SLOTS} slots an episode.
    Its share of them follows where the split's tasks come from, damped towards its capacity; the workload moves it in
    time. The classes are equally frequent; a request may be served in the slot in which it arises and in those after
    it, so many in all:

{_REQUESTS}

    A node's row of the action splits the requests of every class over itself, its at most {D} neighbours and
    rejection: in whole requests by largest remainder, ties to the lowest column. What is kept joins the node's queue,
    as far as its memory holds it. What is forwarded waits on the link, which carries in each slot as many bytes as
    its bandwidth of that slot (log-normal, AR(1)) allows; then it takes the link's latency, the extra of a bad trap
    and what `jitter` adds, and joins the neighbour's queue at the next beginning of a slot, no earlier than one slot
    after it arose. It is not forwarded again. Own requests join before those of others.

    Nodes and links are first come, first served: the oldest first, own before forwarded, light before heavy; what is
    first and does not fit into the rest of the slot waits, and all behind it. A node serves as many CPU shares a slot
    as it has. What can no longer be served within its slots is late and leaves; it is lost, as is what a full node
    refuses, and what waits at a node that fails, reaches one, or arises at one. Queues, links and measurements carry
    over from slot to slot."""

_SEEN: Final = """Rows are a node's own view; N is the region's number of nodes, all else the same in every region.
    Values are clipped at the maximum."""

PARTS: Final = f"""`nodes`, float32 (N, {F}), what each node knows of itself now:

{table(NODE_FEATURES)}

    `neighbours`, float32 (N, {D}, {G}), by rising latency; what a neighbour publishes once in {PERIOD_SLOTS} slots,
    and what is measured of the link when messages have arrived:

{table(NEIGHBOUR_FEATURES)}

    `action_mask`, int8 (N, {C}): 1 for local, the neighbours there are, and reject."""

WORTH: Final = f"""A request's worth is its work. On time it brings its worth, rejected at once it costs
    {REJECT_COST:g} of it, lost {LOSS_COST:g}. What is settled in a slot, over the work that arrives in a slot of the
    episode on average, is the slot's reward; an episode's rewards sum to {SLOTS} times its `value`."""

ARGUMENTS: Final = f"""`region`: a name or a loaded `Region`; `scenario`: {_named(SCENARIOS)}, `{DEFAULT_SCENARIO}` by
    default; `split`: `train` (default), `val` or `test`; `edition`: which build of the region; `seed`: the
    environment's seed until `reset(seed=...)` gives another.

    `physics`: `queue` as described, or `serverless`, without queues (`edgebench.tracks.offload.serverless`).

    `workload`: {_named(WORKLOADS)}, `{DEFAULT_WORKLOAD}` by default (`edgebench.tracks.offload.workloads`), or the
    folder of an Azure Functions 2019 trace, or one that was read (`edgebench.tracks.offload.azure`)."""

PAGE: Final = f"""Split every node's requests over itself, its neighbours and rejection.

    ## Description
    {WORLD}

    ## Action space
    `Box(0, 1, (N, {C}))`: of every node the shares of local, {D} neighbours and reject. They need not sum to 1;
    masked columns are ignored, and a row without any share rejects all.

    ## Observation space
    {_SEEN}

    {PARTS}

    ## Rewards
    {WORTH}

    ## Starting state
    Idle nodes, empty links, nothing measured. `reset(options={{"window": w, "seed": s}})` pins the episode; else
    window and scenario seed are hashed from the environment's seed and the number of resets since.

    ## Episode end
    Truncated after {SLOTS} slots; then the world goes on by itself until every request has ended, which the last
    reward tells. Never terminated.

    ## Information
    `action_mask`.

    ## Arguments
    {ARGUMENTS}

    `focal`: the number of one site that acts; spaces are one row, without the axis of nodes, and the reward is what
    its own users' requests brought, in the team's unit. `others`: what the other sites do, {_named(OTHERS)}
    (`edgebench.tracks.offload.policies`); they see their own rows.

    `privileged=True` adds `labels`, float32 (N, {D}, {L}), which no operator can know and no result may rest on
    unmarked:

{table(LABELS)}

    Raises `EdgeBenchError` for an unknown region, scenario, split, physics, workload, site or policy, for a region
    that is not built, and for an action that is no array of numbers of the right shape.

    ## Version history
    v0: first version."""

PARALLEL_PAGE: Final = f"""Every node an agent: each splits its own users' requests over itself, its neighbours and
    rejection.

    ## Description
    {WORLD}

    ## Action space
    Of every agent `Box(0, 1, ({C},))`, its row of the action of `OffloadEnv`.

    ## Observation space
    Of every agent its own rows of `OffloadEnv`'s, without the axis of nodes.

    {PARTS}

    ## Rewards
    {WORTH}

    `reward="team"`: every agent is given the team's; `"own"` (default): what its own users' requests brought, which
    sums to the team's over the agents.

    ## Starting state
    As `OffloadEnv`; agents are `node_0` … in the order of the region's nodes.

    ## Episode end
    Of all agents at once, truncated after {SLOTS} slots; never terminated.

    ## Information
    `action_mask`.

    ## Arguments
    {ARGUMENTS}

    Raises `EdgeBenchError` as `OffloadEnv`, and for an unknown kind of reward or actions that are not one an agent.

    ## Version history
    v0: first version."""
