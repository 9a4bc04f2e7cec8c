"""One decision of each track as a small picture: what is seen, what a reference agent answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from picture_episode import Decision, decisions
from picture_map import TYPE_COLOURS, Map, words_beside

from edgebench.constants import MODEL_TYPES
from edgebench.region import Region
from edgebench.show.style import ACCENT, FAINT, INK, LINK, MAIN, PAPER, RISING, TRAP, new_figure
from edgebench.tracks.allocate.features import JOB, SITE
from edgebench.tracks.offload.features import NODE as OFFLOAD_NODE
from reference_agents.allocate import priority_edf
from reference_agents.offload import proportional
from reference_agents.place import eplb
from reference_agents.route import lookahead

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE: Final = (7.8, 3.6)
_FAR_KM: Final = 60.0
VERBS: Final = ("place", "replicate", "delete")
RESOURCES: Final = ("cpu", "memory", "bandwidth", "storage")


def first_decision(region: Region, track: str, agent: Any, wanted: Callable[[Decision], bool]) -> Decision:
    """The first decision of the episode that is as wanted."""
    return next(decision for decision in decisions(region, track, agent) if wanted(decision))


def draw_route(region: Region) -> Figure:
    """A stage, the candidates it may go to, and the one chosen."""
    nodes, types = (region.column("instances", name) for name in ("node_id", "model_type"))
    figure = new_figure("pictures", _SIZE)
    drawn = Map(region, figure.add_axes((0.0, 0.03, 0.64, 0.94)))
    drawn.links(traps=False)

    def wanted(decision: Decision) -> bool:
        """The first of an image stage that goes far, some way into the episode."""
        chosen = decision.info["instances"][decision.action]
        far = np.linalg.norm(drawn.places[nodes[chosen]] - drawn.places[decision.info["node"]]) > _FAR_KM
        return bool(decision.number >= 40 and types[chosen] == MODEL_TYPES[1] and far)

    decision = first_decision(region, "route", lookahead.Agent(), wanted)
    offered = decision.info["instances"][decision.observation["action_mask"] > 0]
    here, there = decision.info["node"], int(nodes[decision.info["instances"][decision.action]])
    held, counts = np.unique(nodes[offered], return_counts=True)
    drawn.dots(np.arange(len(drawn.places)), 26, LINK)
    drawn.dots(held, 90 + 60 * counts, TYPE_COLOURS[1])
    for node, count in zip(held.tolist(), counts.tolist(), strict=True):
        drawn.axes.annotate(str(count), drawn.places[node], ha="center", va="center_baseline", fontsize=8, zorder=5)
    drawn.square(here, 420)
    drawn.arrow(here, there, 2.4)
    drawn.frame(14.0)
    words_beside(
        figure, 0.63, 0.92, "Route: which instance?",
        f"Stage {decision.info['stage'] + 1} of task {decision.info['task']} needs an image model; it is decided at "
        f"the square. {offered.size} instances may run it (circles: how many at a node).",
        "Answer: the index of one. Arrow: what lookahead takes.",
    )  # fmt: skip
    return figure


def draw_offload(region: Region) -> Figure:
    """One slot: how much every node was asked for, and what it gives to whom."""
    decision = first_decision(region, "offload", proportional.Agent(), lambda decision: decision.number == 60)
    load = decision.observation["nodes"][:, OFFLOAD_NODE["load"]]
    shares = decision.action / np.maximum(decision.action.sum(axis=1, keepdims=True), 1e-9)
    figure = new_figure("pictures", _SIZE)
    drawn = Map(region, figure.add_axes((0.0, 0.03, 0.64, 0.94)))
    drawn.links(traps=False)
    _gifts(drawn, shares * load[:, None], region.neighbours().node)
    drawn.dots(np.arange(load.size), 40 + 160 * load, np.where(load > 1.0, TRAP, MAIN))
    drawn.frame(14.0)
    given, rejected = ((part * load).sum() / load.sum() for part in (shares[:, 1:-1].sum(axis=1), shares[:, -1]))
    words_beside(
        figure, 0.63, 0.92, "Offload: how much where?",
        f"Slot {decision.number + 1} of 120. A circle grows with what its users ask for now; red is more than the "
        f"node can do ({(load > 1.0).sum()} of {load.size}).",
        "Answer: every node's shares of keep, give to a neighbour, reject. Arrows: what proportional gives away, "
        f"{given:.0%} of the work; it rejects {rejected:.0%}.",
    )  # fmt: skip
    return figure


def _gifts(drawn: Map, work: NDArray[np.float64], neighbours: NDArray[np.int64]) -> None:
    """An arrow for every noticeable gift, as wide as it is large."""
    for node, gifts in enumerate(work[:, 1:-1]):
        for column in np.flatnonzero(gifts > 0.02):
            drawn.arrow(node, int(neighbours[node, column]), 0.6 + 5.0 * float(gifts[column]))


def draw_allocate(region: Region) -> Figure:
    """A job's needs, the room at every site, and where it goes."""

    def wanted(decision: Decision) -> bool:
        """The first that most sites have no room for and that goes to another than its own, when many jobs run."""
        mask, sites = decision.observation["action_mask"], len(decision.observation["sites"])
        moves = decision.action not in (sites, decision.info["origin"])
        return moves and decision.number >= 50 and int(mask[:sites].sum()) < sites // 2

    decision = first_decision(region, "allocate", priority_edf.Agent(), wanted)
    seen = decision.observation["sites"]
    free, need = (seen[:, [SITE[f"{kind}_{name}"] for name in RESOURCES]] for kind in ("free", "need"))
    figure = new_figure("pictures", _SIZE)
    axes = figure.add_axes((0.045, 0.2, 0.56, 0.62))
    _rooms(axes, free, need, decision)
    priority, seconds = (decision.observation["job"][JOB[name]] for name in ("priority", "duration_s"))
    words_beside(
        figure, 0.63, 0.92, "Allocate: which site, or wait?",
        f"Job {decision.info['job']} arose at site {decision.info['origin']} (square), of priority {priority:.0f}, "
        f"{seconds:.0f} s long. A column is a site; bars: what is free there of four resources; ticks: what the job "
        "needs. Pale: no room for it, as far as known.",
        f"Answer: a site, or wait. Triangle: what priority-edf takes, site {decision.action}.",
    )  # fmt: skip
    return figure


def _rooms(axes: Axes, free: NDArray[Any], need: NDArray[Any], decision: Decision) -> None:
    sites = len(free)
    valid = decision.observation["action_mask"][:sites] > 0
    for row, (name, colour) in enumerate(zip(RESOURCES, (MAIN, ACCENT, RISING[2], "#7b4b94"), strict=True)):
        floor = 1.15 * (len(RESOURCES) - 1 - row)
        for site in range(sites):
            axes.bar(site, free[site, row], 0.72, floor, color=colour, alpha=1.0 if valid[site] else 0.22)
        axes.hlines(floor + need[:, row], np.arange(sites) - 0.45, np.arange(sites) + 0.45, colors=INK, linewidths=1.4)
        axes.annotate(name, (-1.0, floor + 1.02), fontsize=6.5, color=INK, va="top", ha="right", rotation=90,
                      annotation_clip=False)  # fmt: skip
    axes.scatter(decision.action, -0.35, marker="^", s=70, color=INK, clip_on=False)
    axes.scatter(decision.info["origin"], -0.35, marker="s", s=46, facecolor="none", edgecolor=INK, clip_on=False)
    axes.set_xlim(-0.8, sites - 0.2)
    axes.set_ylim(-0.05, 1.15 * len(RESOURCES))
    axes.axis("off")


def draw_place(region: Region) -> Figure:
    """Experts on devices before the first edit and before the first batch."""
    agent = eplb.Agent()
    begin = first_decision(region, "place", agent, lambda decision: True)
    ready = first_decision(region, "place", agent, lambda decision: decision.observation["progress"][0] == 0.0)
    figure = new_figure("pictures", _SIZE)
    load = begin.observation["experts"][:, 2]
    for top, decision, words in ((0.56, begin, "at first: contiguous"), (0.12, ready, "after eplb's edits")):
        axes = figure.add_axes((0.045, top, 0.56, 0.33))
        _placement(axes, decision.observation["placement"], load, words)
    copies = [int(decision.observation["placement"].sum()) for decision in (begin, ready)]
    expert, verb, device = (int(part) for part in begin.action)
    words_beside(
        figure, 0.63, 0.92, "Place: which expert where?",
        f"A row is a device, a column one of {len(load)} experts, darker with more load; lines part the layers of the "
        f"model. A mark: the device holds a copy. Copies: {copies[0]} at first, {copies[1]} at the end.",
        "Answer: an expert, a verb (place, replicate, delete) and a device. eplb's first: "
        f"expert {expert}, {VERBS[verb]}, device {device}.",
    )  # fmt: skip
    return figure


def _placement(axes: Axes, placement: NDArray[np.int8], load: NDArray[Any], words: str) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("load", RISING)
    expert, device = np.nonzero(placement)
    axes.scatter(expert, device, c=load[expert], cmap=colours, marker="s", s=15, linewidths=0)
    axes.set_facecolor(PAPER)
    axes.set_xlim(-1, len(placement))
    axes.set_ylim(placement.shape[1] - 0.4, -0.6)
    axes.set_yticks(range(placement.shape[1]))
    axes.tick_params(length=0, labelsize=7, colors=FAINT)
    axes.grid(axis="y", color="#e7eaec", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(words, fontsize=9, color=INK, loc="left", pad=3)
    axes.vlines(np.arange(15.5, len(placement) - 1, 16), -0.6, placement.shape[1] - 0.4, colors=FAINT, linewidths=0.8)
    for spine in axes.spines.values():
        spine.set_visible(False)


TRACK_PICTURES: Final = {
    "route": draw_route,
    "offload": draw_offload,
    "allocate": draw_allocate,
    "place": draw_place,
}
