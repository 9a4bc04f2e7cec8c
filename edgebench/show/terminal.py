"""A region's figures as tables with bars, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from edgebench.cli.common import table
from edgebench.region import Region
from edgebench.show.figures import (
    Histogram,
    bin_labels,
    describe_placement,
    describe_workload,
    region_histograms,
    splits,
)

if TYPE_CHECKING:
    from rich.console import Group

SHOWN: Final = ("degree", "link_latency", "path_latency")
"""The histograms that are drawn in the terminal; the others are in the picture and in the JSON."""
_WIDTH: Final = 32
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def figure_tables(region: Region, *, plain: bool) -> Iterator[Group]:
    """Tables of placement, workload, feasibility and three histograms; bars are `#` where `plain`."""
    yield _placement(describe_placement(region))
    yield _workload({split: describe_workload(region, split) for split in splits(region)})
    yield _feasibility(region.manifest["statistics"]["feasibility"])
    histograms = region_histograms(region)
    for name in SHOWN:
        yield histogram_table(histograms[name], plain=plain)


def histogram_table(histogram: Histogram, *, plain: bool) -> Group:
    """A histogram as one row a bin: its bounds, a bar and its count."""
    most = max(histogram.counts)
    rows = [
        (label, bar(count / most, plain=plain), f"{count:,}")
        for label, count in zip(bin_labels(histogram), histogram.counts, strict=True)
    ]
    return table(histogram.title, (histogram.unit, "", "count"), rows, texts=2)


def bar(share: float, *, plain: bool) -> str:
    """A bar of at most `_WIDTH` characters; something is seen of every share above 0."""
    if plain:
        return "#" * max(round(share * _WIDTH), int(share > 0))
    whole, eighths = divmod(max(round(share * _WIDTH * 8), int(share > 0)), 8)
    return "█" * whole + _EIGHTHS[eighths].strip()


def _placement(placement: Mapping[str, Any]) -> Group:
    hosts = placement["hosts_by_type"]
    rows = [(kind, f"{count:,}", f"{hosts[kind]:,}") for kind, count in placement["models_by_type"].items()]
    models, memory = _words(placement["models_per_node"]), _words(placement["memory_over_storage"])
    title = f"placement: models a node {models} (median); their memory over its storage {memory}"
    return table(title, ("model type", "models", "nodes that hold one"), rows)


def _workload(workload: Mapping[str, Mapping[str, Any]]) -> Group:
    rows = [("tasks", *(f"{part['tasks']:,}" for part in workload.values()))]
    rows.append(("users", *(f"{part['users']:,}" for part in workload.values())))
    rows.append(("tasks a second", *(f"{part['tasks_per_s']:.3g}" for part in workload.values())))
    rows.append(("stages a task", *(_words(part["stages"]) for part in workload.values())))
    rows.append(("deadline, s", *(_words(part["deadline_ms"], 1000) for part in workload.values())))
    for kind in sorted({kind for part in workload.values() for kind in part["tokens"]}):
        rows.append((f"{kind} tokens", *(_words(part["tokens"].get(kind)) for part in workload.values())))
    return table("workload: least – most, median", ("", *workload), rows)


def _feasibility(feasibility: Mapping[str, Mapping[str, float]]) -> Group:
    rows = [(f"with {state} models", _words(ratio)) for state, ratio in feasibility.items()]
    return table("a task's quickest plan, alone in the network, over its deadline", ("", "least – most, median"), rows)


def _words(values: Mapping[str, float] | None, divisor: float = 1) -> str:
    if values is None:
        return "none"
    least, most, middle = (_figure(values[key] / divisor) for key in ("min", "max", "median"))
    return f"{least} – {most}, {middle}" if most != least else least


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
