"""The figures of a region that its manifest does not hold: histograms, placement and workload."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgebench.constants import HOP_MS
from edgebench.region import Region
from edgebench.schema import SPLITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SOURCES: Final = 500
"""Paths are measured from this many nodes at most, evenly chosen by number."""
_BINS: Final = 12
"""About as many bins has a histogram of even bins."""


@dataclass(frozen=True)
class Histogram:
    """Counts of values in bins.

    Attributes:
        title: What is counted.
        unit: Of the edges.
        edges: Bounds of the bins, rising, one more than counts; a bin holds its lower bound, the last also its upper.
        counts: Values in each bin.
        doubling: Whether every bin is twice as wide as the one before.
    """

    title: str
    unit: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    doubling: bool = False


def describe_region(region: Region) -> dict[str, Any]:
    """The manifest of `region` with `histograms`, `placement` and `workload`, as plain JSON values."""
    histograms = {name: asdict(histogram) for name, histogram in region_histograms(region).items()}
    return {
        **region.manifest,
        "histograms": histograms,
        "placement": describe_placement(region),
        "workload": {split: describe_workload(region, split) for split in splits(region)},
    }


def region_histograms(region: Region) -> dict[str, Histogram]:
    """All histograms of a region by name: degree, link_latency, path_latency, tokens, payload, arrivals_<split>."""
    tasks = region.tables["tasks"]
    tokens = np.asarray(tasks["stage_tokens"].combine_chunks().flatten(), float)
    outputs = np.asarray(tasks["stage_output_mb"].combine_chunks().flatten(), float)
    payloads = np.concatenate([region.column("tasks", "prompt_mb"), outputs])
    return {
        "degree": degree_histogram(degrees(region)),
        "link_latency": even_histogram("latency of a link", "ms", region.column("links", "latency_ms")),
        "path_latency": even_histogram("latency between two nodes", "ms", path_latencies_ms(region)),
        "tokens": doubling_histogram("tokens of a stage", "tokens", tokens),
        "payload": doubling_histogram("data a task's prompt or stage sends", "MB", payloads),
        **{f"arrivals_{split}": _arrivals(region, split) for split in splits(region)},
    }


def splits(region: Region) -> list[str]:
    """The splits that have tasks."""
    return [split for split in SPLITS if region.manifest["statistics"]["tasks"][split]]


def degrees(region: Region) -> NDArray[np.int64]:
    """Links of each node, (N,)."""
    ends = np.concatenate([region.column("links", "src"), region.column("links", "dst")])
    return np.bincount(ends, minlength=region.tables["nodes"].num_rows)


def path_latencies_ms(region: Region) -> NDArray[np.float64]:
    """Latency of the quickest paths from up to `MAX_SOURCES` nodes to all others, propagation and hops, in ms."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    count = region.tables["nodes"].num_rows
    ends = region.column("links", "src"), region.column("links", "dst")
    cost = region.column("links", "latency_ms") + HOP_MS
    sources = np.unique(np.linspace(0, count - 1, min(count, MAX_SOURCES)).round().astype(int))
    found = dijkstra(csr_array((cost, ends), shape=(count, count)), directed=False, indices=sources)
    return np.asarray(found[np.arange(count)[None, :] != sources[:, None]])


def degree_histogram(links: NDArray[np.integer]) -> Histogram:
    """One bin for every number of links between the fewest and the most."""
    least = int(links.min())
    counts = np.bincount(links - least)
    edges = tuple(float(least + step) for step in range(len(counts) + 1))
    return Histogram("links of a node", "links", edges, _whole(counts))


def even_histogram(title: str, unit: str, values: NDArray[np.floating]) -> Histogram:
    """Bins of one round width, about twelve, from a multiple of it; a single bin where all values are equal."""
    low, high = float(values.min()), float(values.max())
    step = _round_step((high - low) / _BINS) if high > low else _round_step(max(abs(low), 1.0) / _BINS)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    edges = np.round(np.arange(first, last + 1) * step, 2 - math.floor(math.log10(step)))
    return Histogram(title, unit, tuple(edges.tolist()), _whole(np.histogram(values, edges)[0]))


def doubling_histogram(title: str, unit: str, values: NDArray[np.floating]) -> Histogram:
    """Bins from one power of two to the next, for positive values that differ by orders of magnitude.

    Zeros, which no power of two reaches, are counted in a first bin that begins at 0.
    """
    positive = values[values > 0]
    if not positive.size:
        return even_histogram(title, unit, values)
    first, last = math.floor(math.log2(positive.min())), math.floor(math.log2(positive.max())) + 1
    edges = np.exp2(np.arange(first, last + 1, dtype=float))
    if positive.size < values.size:
        edges = np.r_[0.0, edges]
    return Histogram(title, unit, tuple(edges.tolist()), _whole(np.histogram(values, edges)[0]), doubling=True)


def bin_labels(histogram: Histogram) -> list[str]:
    """`2` for a bin of one whole number of links, `2 – 4` for any other."""
    edges = histogram.edges
    if histogram.unit == "links":
        return [f"{edge:.0f}" for edge in edges[:-1]]
    return [f"{edge_label(low)} – {edge_label(high)}" for low, high in pairwise(edges)]


def edge_label(value: float) -> str:
    """A bound of a bin in few characters."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _arrivals(region: Region, split: str) -> Histogram:
    return even_histogram(f"arrivals of {split}", "s", np.asarray(region.task_table(split)["arrival_ms"]) / 1000)


def _round_step(least: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= least * (1 - 1e-9)), 10 * power)


def _whole(counts: NDArray[np.integer]) -> tuple[int, ...]:
    return tuple(int(count) for count in counts)


def describe_placement(region: Region) -> dict[str, Any]:
    """Models a node holds, their share of its storage, and models and hosting nodes of every type."""
    nodes, instances = region.tables["nodes"], region.tables["instances"]
    hosts = region.column("instances", "node_id")
    memory = np.bincount(hosts, region.column("instances", "memory_gb"), nodes.num_rows)
    types = instances["model_type"].to_pylist()
    pairs = Counter(kind for kind, _ in set(zip(types, hosts.tolist(), strict=True)))
    return {
        "models_per_node": spread(np.bincount(hosts, minlength=nodes.num_rows)),
        "memory_over_storage": spread(memory / region.column("nodes", "storage_gb")),
        "models_by_type": dict(sorted(Counter(types).items())),
        "hosts_by_type": dict(sorted(pairs.items())),
    }


def models_by_kind(region: Region) -> list[dict[str, int]]:
    """For every node, how many models of each kind (text, image, video) it holds."""
    counts: list[Counter[str]] = [Counter() for _ in range(region.tables["nodes"].num_rows)]
    types = region.tables["instances"]["model_type"].to_pylist()
    for node, kind in zip(region.column("instances", "node_id").tolist(), map(_kind, types), strict=True):
        counts[node][kind] += 1
    return [dict(sorted(count.items())) for count in counts]


def describe_workload(region: Region, split: str) -> dict[str, Any]:
    """Users, rate, stages, deadlines and tokens by kind of the tasks of a split that has any."""
    tasks = region.task_table(split)
    arrivals = np.asarray(tasks["arrival_ms"])
    types = tasks["stage_types"].combine_chunks().flatten().to_pylist()
    tokens = np.asarray(tasks["stage_tokens"].combine_chunks().flatten())
    kinds = np.array([_kind(kind) for kind in types])
    return {
        "tasks": tasks.num_rows,
        "users": len(set(tasks["user_id"].to_pylist())),
        "tasks_per_s": round(tasks.num_rows / float(arrivals.max()) * 1000, 6),
        "stages": spread(np.asarray(tasks["stage_types"].combine_chunks().value_lengths())),
        "deadline_ms": spread(np.asarray(tasks["deadline_ms"])),
        "tokens": {kind: spread(tokens[kinds == kind]) for kind in _ordered(kinds.tolist())},
    }


def _kind(model_type: str) -> str:
    """`text` of `text-07`."""
    return model_type.partition("-")[0]


def _ordered(kinds: Iterable[str]) -> list[str]:
    return sorted(set(kinds))


def spread(values: NDArray[Any]) -> dict[str, float]:
    """Least, most, mean and median of values."""
    return {
        "min": values.min().item(),
        "max": values.max().item(),
        "mean": round(float(values.mean()), 4),
        "median": float(np.median(values)),
    }
