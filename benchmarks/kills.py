"""Commands killed with SIGKILL, all their processes at once, at random points of their run: survived / tried.

Run: python benchmarks/kills.py [--tries N] [--only submit,train] [--seed N] [--json]

A kill is survived when every file reads whole, every part of the data folder is the old or the new one (a run or a
training a beginning of the new one), no process of it goes on, and the same command then ends well, with the same
result as one that was never killed, and leaves no temporary file.

Half of the points are moments, drawn over the time that an undisturbed run takes after Python's imports; half are
steps: the command is killed just before the drawn one of its changes to files (opened to be written, renamed, removed,
…), so that every gap between two changes is met where there are as many tries. Needs Linux or macOS.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from common import machine
from killed_world import ENTRY, Episodes, Training, left_over, make_world, standing

from edgebench import registry
from edgebench.harness.processes import descendants

_COUNTER, _STEP = "EDGEBENCH_KILLS_COUNTER", "EDGEBENCH_KILLS_STEP"
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod")
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_PATIENCE_S = 60.0
"""How long a process may take to end that was not in the killed group: an agent's own, which may just be starting."""


@dataclass(frozen=True)
class Command:
    """What is killed: its name, its words, and its share of the tries."""

    name: str
    words: tuple[str, ...]
    weight: float = 1.0


COMMANDS = (
    Command("submit", ("submit", "runs/nearest", "--name", "third"), 1.5),
    Command("submit --force", ("submit", "runs/nearest", "--name", "first", "--force"), 1.5),
    Command("withdraw", ("withdraw", ENTRY, "--reason", "asked for"), 1.5),
    Command("leaderboard", ("leaderboard",), 1.5),
    Command("verify", ("verify", ENTRY, "--episodes", "3"), 0.6),
    Command("build --force", ("build", "--region", "s1-dag", "--force"), 0.8),
    Command("eval", ("eval", "my_agent.py", "--regions", "s1", "--seeds", "1", "--out", "runs/new"), 0.8),
    Command(
        "eval --overwrite",
        ("eval", "my_agent.py", "--regions", "s1", "--seeds", "1", "--out", "runs/replaced", "--overwrite"), 0.8,
    ),
    Command(
        "train",
        ("train", "ppo", "--regions", "s1", "--steps", "1500", "--set", "each=4", "--set", "minibatch=256",
         "--out", "runs/trained"), 0.5,
    ),
)  # fmt: skip


@dataclass
class Tally:
    """What came of one command's kills."""

    command: str
    tried: int = 0
    survived: int = 0
    ended_before: int = 0
    """Of them, tries in which the command had ended before its moment came."""
    slowest_end_s: float = 0.0
    """The longest that a process which was not in the killed group went on."""
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Point:
    """Where to kill: after so many seconds, or before so many changes to files."""

    seconds: float | None = None
    step: int | None = None

    def __str__(self) -> str:
        return f"step {self.step}" if self.seconds is None else f"{self.seconds:.3f} s"


class Trials:
    """One command, killed again and again in fresh copies of a world."""

    def __init__(self, command: Command, world: Path, place: Path) -> None:
        self.command, self._world, self._place = command, world, place
        self._home, self._counter = place / "home", place / "counter"
        self._fresh()
        self._old = standing(self._home)
        begun = time.perf_counter()
        code = self._finish(self._start(Point(step=0)))
        self.seconds, self.steps = time.perf_counter() - begun, self._counter.stat().st_size
        self._new = standing(self._home)
        if code != 0 or self._new == self._old or left_over(self._home):
            raise RuntimeError(
                f"{command.name} does not do undisturbed: {code}, {left_over(self._home)}, {self._said()}"
            )

    def attempt(self, point: Point, found: Tally) -> None:
        """Kill the command there and note what came of it."""
        self._fresh()
        process = self._start(point)
        if point.seconds is not None:
            time.sleep(point.seconds)
            _kill(process)
        found.ended_before += self._finish(process) >= 0
        begun = time.monotonic()
        problems = [f"still at work: {process}" for process in self._still_at_work()]
        found.slowest_end_s = max(found.slowest_end_s, round(time.monotonic() - begun, 3))
        try:
            problems += [*self._odd(standing(self._home)), *self._again()]
        except Exception:  # noqa: BLE001 - whatever it is, it tells of the kill
            problems.append(traceback.format_exc(limit=-2))
        found.tried += 1
        found.survived += not problems
        found.problems += [f"{point}: {problem}" for problem in problems]

    def _again(self) -> Iterator[str]:
        """What is wrong with the outcome of the same command, given again."""
        code = self._finish(self._start(Point()))
        if code != 0:
            yield f"the same command again: exit status {code}: {self._said()}"
        if standing(self._home) != self._new:
            yield "the same command again comes to another end"
        yield from (f"left over: {name}" for name in left_over(self._home))

    def _fresh(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)
        shutil.copytree(self._world, self._home)
        self._counter.write_bytes(b"")

    def _odd(self, found: dict[str, object]) -> list[str]:
        """Names of the parts that are neither old nor new."""
        return [
            f"neither old nor new: {name}"
            for name in {*found, *self._old, *self._new}
            if not _is_between(found.get(name), self._old.get(name), self._new.get(name))
        ]

    def _start(self, point: Point) -> int:
        process = os.fork()
        if process == 0:
            self._run(point)
        return process

    def _run(self, point: Point) -> None:
        os.setsid()
        said = os.open(self._place / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.chdir(self._home)
        tempfile.tempdir = str(self._home / "temporary")
        os.environ.update(EDGEBENCH_HOME=str(self._home), TMPDIR=tempfile.tempdir)
        if point.step is not None:
            os.environ.update({_COUNTER: str(self._counter), _STEP: str(point.step)})
            count_steps()
        code = 1
        try:
            _command_line(self.command.words)
        except SystemExit as left:
            code = int(left.code or 0)
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _finish(self, process: int) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    def _still_at_work(self) -> set[int]:
        end = time.monotonic() + _PATIENCE_S
        while (found := descendants(os.getpid())) and time.monotonic() < end:
            _bury()  # a namespace ends only when the last of its processes is
            time.sleep(0.01)
        for process in found:
            os.kill(process, signal.SIGKILL)
        _bury()
        return found

    def _said(self) -> str:
        return (self._place / "said").read_text(encoding="utf-8", errors="replace")[-2000:]


def _is_between(found: object, old: object, new: object) -> bool:
    """Whether a part of the world is the old or the new one, or on its way."""
    if isinstance(found, Episodes | Training):
        return found.is_between(old, new)
    return found in (old, new)


def _kill(process: int) -> None:
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has ended, or is not yet in a group of its own
    finally:
        os.kill(process, signal.SIGKILL)


def _bury() -> None:
    """Hear of the ends of processes that came to this one when their parent was killed."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _command_line(words: tuple[str, ...]) -> None:
    from edgebench.cli import main

    main(list(words), prog_name="edgebench")


def count_steps() -> None:
    """Count this process's changes to files of the data folder, and kill its group before the one that is drawn."""
    counter = os.open(os.environ[_COUNTER], os.O_WRONLY | os.O_APPEND)
    last, world = int(os.environ[_STEP]), os.environ["EDGEBENCH_HOME"]

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _CHANGES and not (event == "open" and arguments[2] & _TO_WRITE):
            return
        path = str(arguments[0])
        if path.startswith("/") and not path.startswith(world):
            return
        os.write(counter, b".")
        if os.fstat(counter).st_size == last:
            os.killpg(0, signal.SIGKILL)

    sys.addaudithook(watch)


def points(trials: Trials, tries: int, random: np.random.Generator) -> list[Point]:
    """Half of the tries at steps, each once where there are as many, the rest at moments."""
    steps = random.permutation(trials.steps)[: tries // 2] + 1
    moments = random.uniform(0.0, trials.seconds, tries - len(steps))
    return [Point(step=int(step)) for step in steps] + [Point(seconds=float(moment)) for moment in moments]


def tally(trials: Trials, tries: int, random: np.random.Generator) -> Tally:
    """Kill one command so many times."""
    found = Tally(trials.command.name)
    for point in points(trials, tries, random):
        trials.attempt(point, found)
    return found


def _prepare(world: Path) -> None:
    """Make the world in a process of its own: this one must start no threads, since it is forked."""
    process = os.fork()
    if process == 0:
        code = 1
        os.environ["EDGEBENCH_HOME"] = str(world)
        try:
            make_world(world)
            code = 0
        except Exception:  # noqa: BLE001 - nothing may leave the forked process
            traceback.print_exc()
        finally:
            os._exit(code)
    if os.waitpid(process, 0)[1] != 0:
        raise RuntimeError("the world could not be made")


def _import_all() -> None:
    """Import what the commands need, so that the moments fall into their work."""
    import edgebench.cli.verb_build
    import edgebench.cli.verb_eval
    import edgebench.cli.verb_leaderboard
    import edgebench.cli.verb_submit
    import edgebench.leaderboard.results
    import edgebench.leaderboard.verify
    import edgebench.learning.training  # noqa: F401


def main() -> None:
    """Print a line a command and the sum."""
    options = _options()
    registry.REGIONS = {"s1": registry.REGIONS["s1"]}  # a board of s1 alone
    if sys.platform == "linux":
        from edgebench.harness.namespaces import adopt_orphans

        adopt_orphans()
    _import_all()
    wanted = [command for command in COMMANDS if not options.only or command.name in options.only.split(",")]
    share = options.tries / sum(command.weight for command in wanted)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        world = options.world or Path(folder).resolve() / "world"
        if options.world is None:
            _prepare(world)
        tallies = []
        for number, command in enumerate(wanted):
            trials = Trials(command, world, Path(folder).resolve())
            random = np.random.default_rng([options.seed, number])
            tallies.append(tally(trials, max(2, round(share * command.weight)), random))
            if not options.json:
                _print(tallies[-1], trials)
    _finish(tallies, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tries", type=int, default=300, help="kills in all")
    parser.add_argument("--only", default="", help="names of commands, with commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--world", type=Path, help="a folder that killed_world.make_world has filled")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _print(found: Tally, trials: Trials) -> None:
    runs = f"{trials.seconds:.1f} s, {trials.steps} steps; {found.ended_before} had ended, "
    runs += f"last process gone after {found.slowest_end_s:.2f} s"
    print(f"{found.command:<18} {found.survived} / {found.tried}   ({runs})", flush=True)
    for problem in found.problems:
        print(f"    {problem}", flush=True)


def _finish(tallies: list[Tally], options: argparse.Namespace) -> None:
    survived, tried = sum(one.survived for one in tallies), sum(one.tried for one in tallies)
    if options.json:
        figures = {"machine": machine(), "seed": options.seed, "survived": survived, "tried": tried}
        print(json.dumps(figures | {"commands": [asdict(one) for one in tallies]}, indent=1))
    else:
        print(f"survived / tried: {survived} / {tried}, seed {options.seed}; {machine()}")
    sys.exit(survived != tried)


if __name__ == "__main__":
    main()
elif _COUNTER in os.environ:
    count_steps()  # a process that a killed command has started with this file as its main module
