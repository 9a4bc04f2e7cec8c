"""What `RouteEnv.render` gives: a frame, a window, or words. Plotting libraries are imported when something is drawn.

Frames and windows show the true state, which agents are not told; words show what the agent sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebench.constants import WINDOW_TASKS
from edgebench.errors import unknown_name
from edgebench.region import Region
from edgebench.show.style import needs
from edgebench.show.truth import Schedule, moment_of, schedule_of
from edgebench.tracks.route.features import CANDIDATE, CANDIDATE_FEATURES, TASK
from edgebench.tracks.route.simulation import Simulation
from edgebench.tracks.route.state import SEED

if TYPE_CHECKING:
    from edgebench.show.frame import FramePainter

RENDER_MODES: Final = ("human", "rgb_array", "ansi")
RENDER_FPS: Final = 10
"""Decisions shown a second in a window, and the pace of a video."""
_DOTS: Final = 100
"""Pixels an inch of a window."""
_LEFT_OUT: Final = ("onward_s", "speed", "stored", "return_s")
"""Rows of `candidates` that the table of words has no room for."""


class Choice(NamedTuple):
    """The last decision: its task's number in the window, its stage, and the instance chosen, -1 for none."""

    task: int
    stage: int
    instance: int


class RouteRenderer:
    """Draws the episode of a simulation; it reads the simulation and never changes it.

    A copy or a pickle of it has no window and no painted map, and makes its own.

    Args:
        mode: One of `RENDER_MODES`.
        region: The region played in.
        scenario: The scenario's name.
        simulation: What is drawn.

    Raises:
        EdgeBenchError: The mode is unknown.
    """

    def __init__(self, mode: str, region: Region, scenario: str, simulation: Simulation) -> None:
        if mode not in RENDER_MODES:
            raise unknown_name("render mode", mode, RENDER_MODES)
        self._mode, self._region, self._scenario, self._simulation = mode, region, scenario, simulation
        self._chosen: Choice | None = None
        self._forget()

    def _forget(self) -> None:
        self._painter: FramePainter | None = None
        self._schedule: tuple[int, Schedule] | None = None
        self._window: _Window | None = None

    def __getstate__(self) -> dict[str, Any]:
        made_again = ("_painter", "_schedule", "_window")
        return {name: value for name, value in vars(self).items() if name not in made_again}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept)
        self._forget()

    def begin(self) -> None:
        """Forget the last choice: an episode begins."""
        self._chosen = None

    def note(self, action: int) -> None:
        """Keep what is about to be chosen."""
        seen = self._simulation.seen
        valid = 0 <= action < seen.instances.size
        self._chosen = Choice(int(seen.place[1]), int(seen.place[2]), int(seen.instances[action]) if valid else -1)

    def render(self) -> NDArray[np.uint8] | str | None:
        """A frame (H, W, 3), words, or None where a window shows the frame.

        Raises:
            EdgeBenchError: A library of the extra `plots` is not installed.
        """
        if self._mode == "ansi":
            return self._words()
        frame = self._frame()
        if self._mode == "rgb_array":
            return frame
        if self._window is None or not self._window.is_open():
            self._window = _Window(frame, f"EdgeBench {self._region.name}")
        self._window.show(frame)
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
        self._window = None

    def _frame(self) -> NDArray[np.uint8]:
        from edgebench.show.frame import FramePainter

        if self._painter is None:
            self._painter = FramePainter(self._region, f"{self._region.name} · {self._scenario}")
        seed = int(self._simulation.state.cursor[SEED])
        if self._schedule is None or self._schedule[0] != seed:
            self._schedule = seed, schedule_of(self._simulation)
        return self._painter.paint(moment_of(self._simulation, self._schedule[1]))

    def _words(self) -> str:
        title = f"{self._region.name} · {self._scenario}"
        return "\n".join([title, *self._decision(), *self._last_words(), *self._table()]) + "\n"

    def _decision(self) -> list[str]:
        simulation = self._simulation
        if simulation.over:
            return ["the episode is over"]
        seen, (row, number, stage, node, user_node) = simulation.seen, simulation.seen.place.tolist()
        task, entries = simulation.tasks[row], {name: seen.task[entry] for name, entry in TASK.items()}
        now_s = simulation.state.progress[number]["ready_ms"] / 1000.0
        kind = self._region.model_types[task["stage_type"][stage]]
        left_s = entries["deadline_s"] - entries["elapsed_s"]
        in_flight = round(float(entries["in_flight"]) * WINDOW_TASKS)
        return [
            f"{now_s:.3f} s: task {number}, stage {stage} of {task['stages']} ({kind}), "
            f"at node {node}, user at node {user_node}; {in_flight} tasks in flight",
            f"weights: quality {entries['quality_weight']:.2f}, speed {entries['speed_weight']:.2f}; "
            f"deadline {entries['deadline_s']:.1f} s, {left_s:.1f} s of it left",
        ]

    def _last_words(self) -> list[str]:
        if self._chosen is None:
            return []
        task, stage, instance = self._chosen
        if instance < 0:
            return [f"last: task {task}, stage {stage} to no candidate"]
        node = self._simulation.topology.instance["node"][instance]
        return [f"last: task {task}, stage {stage} to instance {instance} on node {node}, marked > where offered again"]

    def _table(self) -> list[str]:
        """A row a candidate; what is masked is left out."""
        seen, node = self._simulation.seen, self._simulation.topology.instance["node"]
        names = [feature.name for feature in CANDIDATE_FEATURES if feature.name not in _LEFT_OUT]
        columns = np.flatnonzero(seen.action_mask)
        if not columns.size:
            return []
        rows = [[" ", "action", "instance", "node", *names]]
        for column in columns:
            instance = int(seen.instances[column])
            is_last = self._chosen is not None and instance == self._chosen.instance
            figures = (f"{seen.candidates[CANDIDATE[name], column]:.3f}" for name in names)
            rows.append([">" if is_last else " ", str(column), str(instance), str(node[instance]), *figures])
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        return [" ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


class _Window:
    """A window of matplotlib, or, where no screen is, a figure that nobody sees."""

    def __init__(self, frame: NDArray[np.uint8], title: str) -> None:
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise needs("matplotlib", "windows") from error
        self._pyplot = pyplot
        high, wide, _ = frame.shape
        self._figure = pyplot.figure(figsize=(wide / _DOTS, high / _DOTS), dpi=_DOTS)
        axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        self._image = axes.imshow(frame)
        if self._figure.canvas.manager is not None:
            self._figure.canvas.manager.set_window_title(title)

    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self._pyplot.fignum_exists(self._figure.number)

    def show(self, frame: NDArray[np.uint8]) -> None:
        """Show a frame, on a screen for one `RENDER_FPS`-th of a second."""
        canvas = self._figure.canvas
        self._image.set_data(frame)
        canvas.draw_idle()
        if canvas.required_interactive_framework is not None:
            self._figure.show()
            canvas.start_event_loop(1.0 / RENDER_FPS)

    def close(self) -> None:
        """Close it."""
        self._pyplot.close(self._figure)
