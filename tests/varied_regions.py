"""Regions of the kinds the standard ones are not: workflows as graphs, many experts, trap links of other behaviours.

Each is a standard region with columns replaced, so that the simulator is tested on them whatever the builders make.
"""

import dataclasses

import numpy as np
import pyarrow as pa

from edgebench.constants import MAX_STAGES, PAYLOAD_MB
from edgebench.region import kind_of
from edgebench.schema import TABLES

EXPERTS_A_KIND = 4
BEHAVIOURS = {
    "lossy": {"trap_mbps": 5.0, "trap_loss": 0.2},
    "coin": {
        "trap_enter": 0.5,
        "trap_leave": 0.5,
        "trap_extra_min_ms": 200.0,
        "trap_extra_max_ms": 200.0,
        "trap_rest_ms": 100.0,
    },
    "flat": {
        "trap_enter": 1.0,
        "trap_leave": 0.0,
        "trap_extra_min_ms": 2000.0,
        "trap_extra_max_ms": 2000.0,
        "trap_mbps": 1.0,
    },
}
SHAPES = {
    "diamond": (0, 1, 1, 0b110),
    "tree": (0, 1, 1, 1),
    "hybrid": (0, 1, 1, 0b110, 0b1000),
    "two roots": (0, 0, 0b11),
}


VARIED = ("graphs", "experts-lossy", "graphs-experts-coin", "graphs-experts-flat")
"""What `varied` can be asked for: graphs, experts and a key of `BEHAVIOURS`, joined by hyphens."""


def varied(region, wanted, seed=0):
    """A region with all that is wanted."""
    parts = wanted.split("-")
    if "graphs" in parts:
        region = with_graphs(region, seed)
    if "experts" in parts:
        region = with_experts(region, seed)
    for behaviour in BEHAVIOURS.keys() & parts:
        region = with_traps(region, BEHAVIOURS[behaviour])
    return region


def with_graphs(region, seed):
    """Every second workflow is of one of `SHAPES`, every other one a random graph of up to ten stages."""
    draw, tasks = np.random.default_rng(seed), region.tables["tasks"]
    shapes = list(SHAPES.values())
    parents = [list(shapes[row // 2 % len(shapes)]) if row % 2 else random_graph(draw) for row in range(tasks.num_rows)]
    kinds = [[("text", "text", "image", "video")[draw.integers(4)] for _ in row] for row in parents]
    return replace(
        region,
        "tasks",
        stage_parents=parents,
        stage_types=kinds,
        stage_tokens=[[int(draw.integers(50, 800)) for _ in row] for row in parents],
        stage_output_mb=[
            [PAYLOAD_MB[("text", "image", "video").index(kind)] * draw.uniform(0.2, 1.0) for kind in row]
            for row in kinds
        ],
        deadline_ms=draw.uniform(8_000.0, 40_000.0, tasks.num_rows).tolist(),
    )


def random_graph(draw):
    """Parents of one to ten stages, each behind any of the earlier ones."""
    return [
        int(draw.integers(1 << stage)) & int(draw.integers(1 << stage))
        for stage in range(int(draw.integers(1, MAX_STAGES + 1)))
    ]


def with_experts(region, seed):
    """Every kind is divided into four experts; of each there is an instance."""
    draw = np.random.default_rng(seed + 1)
    kinds = region.tables["instances"]["model_type"].to_pylist()
    met = dict.fromkeys(kinds, 0)
    names = []
    for kind in kinds:
        names.append(f"{kind_of(kind)}-{met[kind] % EXPERTS_A_KIND:02d}")
        met[kind] += 1
    asked = [
        [f"{kind_of(kind)}-{draw.integers(EXPERTS_A_KIND):02d}" for kind in row]
        for row in region.tables["tasks"]["stage_types"].to_pylist()
    ]
    return replace(replace(region, "instances", model_type=names), "tasks", stage_types=asked)


def with_traps(region, values):
    """Trap links with other parameters."""
    is_trap = region.column("links", "is_trap")
    return replace(
        region,
        "links",
        **{name: [value if trap else None for trap in is_trap.tolist()] for name, value in values.items()},
    )


def replace(region, table, **columns):
    """The region with columns of a table replaced."""
    changed = region.tables[table]
    for name, values in columns.items():
        field = TABLES[table].field(name)
        changed = changed.set_column(changed.column_names.index(name), field, pa.array(values, field.type))
    return dataclasses.replace(region, tables={**region.tables, table: changed})
