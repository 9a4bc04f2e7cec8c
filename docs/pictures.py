"""The pictures of docs/concepts.md, drawn from the simulator: region s1, window 0 and seed 0 of its test tasks.

    edgebench build --region s1
    python docs/pictures.py

`--out FOLDER` writes them elsewhere, a name draws that one alone. Needs matplotlib, of edgebench[plots].
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from picture_episode import EPISODE, Story, actions_of, replay, story_of, utility_at
from picture_map import TYPE_COLOURS, Map, mark_types, words_beside
from picture_tracks import TRACK_PICTURES
from PIL import Image
from scipy.spatial import ConvexHull

import edgebench
from edgebench.atomic import atomic_path
from edgebench.constants import COST_REF_USD, COST_WEIGHT, FAIL_FACTOR, MODEL_TYPES
from edgebench.envs import make_parallel_env
from edgebench.region import Region
from edgebench.show.episode import EpisodeTrace, record_episode
from edgebench.show.style import ACCENT, FAINT, INK, LINK, MAIN, TRAP, dress, new_figure
from edgebench.tracks.route.state import DONE
from reference_agents.route import greedy_estimate, lookahead, nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TARGET: Final = Path(__file__).with_name("images")
COLOURS: Final = 128
"""Of a picture's palette; keeps each below 50 KB."""
TASK: Final = 5
"""The task of the timeline: under all three agents it is answered within its deadline, in three ways."""
AGENTS: Final[dict[str, Callable[[], Any]]] = {
    "nearest": nearest.Agent,
    "greedy-estimate": greedy_estimate.Agent,
    "lookahead": lookahead.Agent,
}
PARTS: Final = ("propagation", "transmission", "traps", "queue", "loading", "service")
"""Of a stage's delay, in the order of `edgebench.tracks.route.state.PROGRESS`."""
PART_COLOURS: Final = ("#1d4e79", "#6fa8c9", TRAP, "#c9b458", "#b9a5cf", "#5c9a6b")
_LINES: Final = (INK, "#5c9a6b", "#b07aa1", "#c9b458")
"""Of the longest queues."""
_WORTH: Final = ("quality", "speed", "less: cost")
_NARROW_MS: Final = 250.0
"""A stage that takes less has no number below it."""


def draw_topology(region: Region) -> Figure:
    """Nodes with their models, links and trap links, and four gateways with their clusters."""
    figure = new_figure("pictures", (10.0, 6.2))
    axes = figure.add_axes((0.01, 0.02, 0.72, 0.96))
    team: Any = make_parallel_env("route", region)
    drawn = Map(region, axes)
    for gateway, node in enumerate(team.stands_on):
        _shade(axes, drawn.places[team.gateway_of == gateway])
        drawn.square(node, 620)
    drawn.links(traps=True)
    types = region.column("instances", "model_type")
    for node in range(len(drawn.places)):
        here = types[region.column("instances", "node_id") == node]
        _pie(axes, drawn.places[node], [int((here == name).sum()) for name in MODEL_TYPES])
    drawn.frame(16.0)
    links = region.column("links", "is_trap")
    words_beside(
        figure, 0.74, 0.93, "One topology: s1",
        f"{len(drawn.places)} nodes: servers at cell sites. {links.size} links join them; {links.sum()} are trap links "
        "(red), bad for seconds at a time.",
        f"{types.size} model instances: a node's pie grows with how many it holds, coloured by type:",
    )  # fmt: skip
    mark_types(figure, 0.725, 0.63)
    words_beside(
        figure, 0.74, 0.46, "Gateways",
        f"{len(team.stands_on)} gateways (squares), each of which decides for its cluster (shaded) where several "
        "agents act.",
    )  # fmt: skip
    return figure


def _pie(axes: Axes, place: NDArray[np.float64], counts: list[int]) -> None:
    """A node's models by type."""
    edge = {"linewidth": 0.6 * (max(counts) < sum(counts)), "edgecolor": "white", "zorder": 4}
    axes.pie(
        counts, colors=TYPE_COLOURS, center=tuple(place), radius=2 + sum(counts) ** 0.5, frame=True, wedgeprops=edge
    )


def _shade(axes: Axes, places: NDArray[np.float64]) -> None:
    from matplotlib.patches import Polygon

    outline = places[ConvexHull(places).vertices]
    axes.add_patch(
        Polygon(outline, facecolor="#e9edf0", edgecolor="#e9edf0", linewidth=34, joinstyle="round", zorder=0)
    )


def draw_episode(region: Region) -> Figure:
    """Arrivals, choices, queues and trap states of the episode as `lookahead` decides it."""
    chosen: list[tuple[int, str]] = []
    actions = iter(actions_of(region, AGENTS["lookahead"]()))
    nodes, types = (region.column("instances", name) for name in ("node_id", "model_type"))

    def act(seen: dict[str, Any]) -> int:
        action = next(actions)
        instance = int(seen["instances"][action])
        chosen.append((int(nodes[instance]), str(types[instance])))
        return action

    trace = record_episode(region, EPISODE, "lookahead", act)
    figure = new_figure("pictures", (10.0, 7.6))
    rows = figure.subplots(4, 1, sharex=True, gridspec_kw={"height_ratios": (0.8, 2.6, 1.5, 1.1)})
    figure.subplots_adjust(left=0.07, right=0.85, top=0.94, bottom=0.07, hspace=0.32)
    for axes, draw in zip(rows, (_arrivals, _choices, _queues, _traps), strict=True):
        dress(axes, "x")
        draw(axes, trace, chosen)
    rows[-1].set_xlim(0.0, trace.bad.shape[1])
    rows[-1].set_xlabel("s from the start of the episode", fontsize=8, color=FAINT)
    mark_types(figure, 0.865, 0.76)
    return figure


def _head(axes: Axes, words: str) -> None:
    axes.set_title(words, fontsize=9.5, color=INK, loc="left", pad=4)


def _arrivals(axes: Axes, trace: EpisodeTrace, _: Any) -> None:
    _head(axes, f"arrivals: a tick a task ({trace.arrived_s.size}); the line counts tasks in flight")
    axes.vlines(trace.arrived_s, 0.0, 0.28, transform=axes.get_xaxis_transform(), colors=INK, linewidths=1.0)
    axes.step(trace.at_s, trace.in_flight, where="post", color=MAIN, linewidth=1.4)
    axes.set_ylim(-8.0)
    axes.set_yticks([0, 20])


def _choices(axes: Axes, trace: EpisodeTrace, chosen: list[tuple[int, str]]) -> None:
    _head(axes, f"choices: a dot a stage ({len(chosen)}), in the row of the node that was chosen for it")
    colours = dict(zip(MODEL_TYPES, TYPE_COLOURS, strict=True))
    axes.scatter(trace.at_s, [node for node, _ in chosen], s=15, c=[colours[name] for _, name in chosen], linewidths=0)
    axes.set_ylim(trace.queued_s.shape[1] - 0.3, -0.7)
    axes.set_ylabel("node", fontsize=8, color=FAINT)


def _queues(axes: Axes, trace: EpisodeTrace, _: Any) -> None:
    _head(axes, "queues: seconds of work at every node; the longest four named")
    longest = np.argsort(-trace.queued_s.mean(axis=0), kind="stable")[:4]
    axes.plot(trace.at_s, trace.queued_s, color=LINK, linewidth=0.6)
    for node, colour in zip(longest, _LINES, strict=True):
        axes.plot(trace.at_s, trace.queued_s[:, node], color=colour, linewidth=1.6, label=f"node {node}")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8.5, labelcolor=INK)


def _traps(axes: Axes, trace: EpisodeTrace, _: Any) -> None:
    _head(axes, f"trap links, a row each ({len(trace.bad)}): red while bad. No agent is told")
    for row, states in enumerate(trace.bad):
        axes.hlines(row, 0, states.size, colors="#e7eaec", linewidths=4)
        starts = np.flatnonzero(states)
        axes.hlines(np.full(starts.size, row), starts, starts + 1, colors=TRAP, linewidths=4)
    axes.set_ylim(len(trace.bad) - 0.4, -0.6)
    axes.set_yticks([])


def draw_task(region: Region) -> Figure:
    """One task on a timeline under three agents, and what it was worth."""
    figure = new_figure("pictures", (10.0, 4.0))
    times = figure.add_axes((0.125, 0.13, 0.6, 0.66))
    worth = figure.add_axes((0.765, 0.13, 0.215, 0.66), sharey=times)
    stories = {name: story_of(region, actions_of(region, make()), TASK) for name, make in AGENTS.items()}
    for lane, story in enumerate(stories.values()):
        _lane(times, lane, story)
        _worth(worth, lane, story)
    deadline_s = story.task["deadline_ms"] / 1000.0
    times.axvline(deadline_s, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    times.annotate("deadline", (deadline_s, -0.72), ha="right", va="center", fontsize=8.5, color=INK, xytext=(-4, 0),
                   textcoords="offset points")  # fmt: skip
    for axes, words in ((times, "s from the arrival of the task"), (worth, "utility")):
        dress(axes, "x")
        axes.set_ylim(2.7, -0.95)
        axes.set_xlabel(words, fontsize=8, color=FAINT)
    times.set_xlim(0.0, deadline_s * 1.04)
    times.set_yticks(range(len(stories)), list(stories), fontsize=9.5, color=INK)
    worth.tick_params(labelleft=False)
    worth.set_xlim(0.0, 1.0)
    _legend(figure, PARTS, PART_COLOURS, 0.12)
    _legend(figure, _WORTH, (MAIN, ACCENT, LINK), 0.74)
    return figure


def _lane(axes: Axes, lane: int, story: Story) -> None:
    born = float(story.progress["born_ms"])
    for number, stage in enumerate(story.stages, start=1):
        left = (stage.begin_ms - born) / 1000.0
        for width, colour in zip(stage.parts_ms / 1000.0, PART_COLOURS, strict=True):
            axes.barh(lane, width, left=left, height=0.46, color=colour)
            left += width
        begin = (stage.begin_ms - born) / 1000.0
        axes.vlines(begin, lane - 0.32, lane + 0.32, colors=INK, linewidths=0.9)
        if number < len(story.stages) and stage.parts_ms.sum() > _NARROW_MS:
            axes.annotate(str(number), (begin, lane + 0.42), fontsize=8, color=INK, va="center", xytext=(2, 0),
                          textcoords="offset points")  # fmt: skip


def _worth(axes: Axes, lane: int, story: Story) -> None:
    task, progress = story.task, story.progress
    quality = task["quality_weight"] * progress["quality_sum"] / task["stages"]
    cost = COST_WEIGHT * progress["cost_usd"] / COST_REF_USD
    speed = progress["utility"] - quality + cost
    axes.barh(lane, quality, height=0.46, color=MAIN)
    axes.barh(lane, speed, left=quality, height=0.46, color=ACCENT)
    axes.barh(lane, -cost, left=quality + speed, height=0.46, color=LINK)
    axes.annotate(f"{progress['utility']:.2f}", (quality + speed, lane), xytext=(4, 0), textcoords="offset points",
                  va="center", fontsize=9.5, color=INK)  # fmt: skip


def _legend(figure: Figure, names: tuple[str, ...], colours: tuple[str, ...], left: float) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(label=name, color=colour) for name, colour in zip(names, colours, strict=True)]
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(left, 0.97), ncols=len(names), frameon=False,
                  fontsize=9, labelcolor=INK, handlelength=1.0, columnspacing=1.0, borderpad=0)  # fmt: skip


def draw_utility(region: Region) -> Figure:
    """Utility over delay: the curves of two users' tasks, and where all tasks of the episode ended."""
    figure = new_figure("pictures", (10.0, 4.4))
    axes = figure.add_axes((0.07, 0.13, 0.62, 0.8))
    dress(axes)
    *_, simulation = replay(region, actions_of(region, AGENTS["lookahead"]()))
    progress = simulation.state.progress[simulation.state.progress["born_ms"].argsort(kind="stable")]
    tasks = simulation.tasks[progress["row"]]
    shares = progress["latency_ms"] / tasks["deadline_ms"]
    weights = tasks["quality_weight"]
    dots = axes.scatter(shares, progress["utility"], c=weights, cmap="viridis_r", vmin=0, vmax=1, s=26, linewidths=0)
    answered = np.flatnonzero(progress["outcome"] == DONE)
    for chosen in (answered[weights[answered].argmin()], answered[weights[answered].argmax()]):
        _curve(axes, tasks[chosen], progress[chosen], dots.to_rgba(weights[chosen]))
    axes.axvline(1.0, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.axvline(FAIL_FACTOR, color=TRAP, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.set_xlim(0.0, FAIL_FACTOR * 1.06)
    axes.set_ylim(-0.02, 1.0)
    axes.set_xlabel("time from arrival to answer, in deadlines", fontsize=9, color=INK)
    axes.set_ylabel("utility", fontsize=9, color=INK)
    _utility_words(figure, dots, len(tasks), len(answered))
    return figure


def _curve(axes: Axes, task: Any, progress: Any, colour: Any) -> None:
    """A task's utility at any delay, its models being those that it had."""
    quality = progress["quality_sum"] / task["stages"]
    shares = np.linspace(0.0, FAIL_FACTOR * 1.06, 500)
    axes.plot(shares, utility_at(task, quality, progress["cost_usd"], shares * task["deadline_ms"]), color=colour)
    ended = progress["latency_ms"] / task["deadline_ms"]
    axes.scatter(ended, progress["utility"], s=90, facecolor="none", edgecolor=INK, linewidth=1.3, zorder=3)


def _utility_words(figure: Figure, dots: Any, tasks: int, answered: int) -> None:
    bar = figure.colorbar(dots, cax=figure.add_axes((0.725, 0.13, 0.015, 0.3)))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8, colors=FAINT)
    bar.ax.set_title("weight of quality", fontsize=8.5, color=INK, loc="left", pad=8)
    words_beside(
        figure, 0.72, 0.93, "What a task is worth",
        "A curve is one task at any delay: speed counts up to the deadline, quality up to two of them, then the task "
        "has failed.",
        f"A dot is a task as it ended; the two with curves are ringed. {answered} of {tasks} were answered.",
    )  # fmt: skip


PICTURES: Final[dict[str, Callable[[Region], Figure]]] = {
    "topology": draw_topology,
    "episode": draw_episode,
    "task": draw_task,
    "utility": draw_utility,
    **TRACK_PICTURES,
}
"""By name; NAME is written to `concepts-NAME.png`."""


def main(names: list[str], target: Path = TARGET) -> None:
    """Draw the pictures of these names, all where there are none."""
    region = edgebench.load("s1")
    target.mkdir(parents=True, exist_ok=True)
    for name in names or PICTURES:
        drawn = io.BytesIO()
        PICTURES[name](region).savefig(drawn, format="png", dpi=100)
        picture = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        with atomic_path(target / f"concepts-{name}.png") as temporary:
            picture.save(temporary, format="png", optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/concepts.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*PICTURES, []], help=", ".join(PICTURES))
    parser.add_argument("--out", type=Path, default=TARGET, help="folder to write to")
    given = parser.parse_args()
    main(given.names, given.out)
