"""Build sdist and wheel, install the wheel into a fresh environment, and use it there, away from the checkout.

    python .ci/smoke.py                      this Python, versions of constraints.txt: build, load, make an environment
    python .ci/smoke.py 3.12 lowest-direct   also evaluate and train agents, use the extras; or pinned, or highest
    python .ci/smoke.py --all                that on 3.11, 3.12 and 3.13, each with the lowest and the newest versions

Wants `build` and `uv`, which the extra dev brings, beside the Python it runs on. `--all` tells of a Python that
cannot be had and goes on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = str(Path(sys.executable).with_name("uv"))
PYTHONS, VERSIONS = ("3.11", "3.12", "3.13"), ("lowest-direct", "highest")
EXTRAS = ("agents", "marl", "offline", "plots", "site")
USE = """
import sys, edgebench, gymnasium
assert edgebench.__file__.startswith(sys.prefix), edgebench.__file__
assert len(edgebench.load("s1").nodes) == 25
assert gymnasium.make("edgebench:EdgeBench/Route-S1-v0").observation_space["candidates"].shape[1] == 32
"""
STEP = """
import gymnasium
env = gymnasium.make("edgebench:EdgeBench/Route-S1-v0")
_, info = env.reset(seed=0)
env.step(int(info["action_mask"].argmax()))
"""
TEAM = """
import edgebench, edgebench.envs
edgebench.envs.make_parallel_env("route", edgebench.load("s1"), gateways=2)
"""
CORE = (["edgebench", "--version"], ["edgebench", "build", "--region", "s1"], ["python", "-c", USE])
AGENTS = (
    ["edgebench", "eval", "least-loaded", "--regions", "s1", "--out", "least-loaded"],
    ["edgebench", "eval", "my_agent.py", "--regions", "s1", "--out", "my-agent"],
    ["edgebench", "leaderboard", "--regions", "s1", "--run", "my-agent"],
    ["python", "-c", STEP],
)
USE_EXTRAS = (
    ["edgebench", "show", "s1", "--map", "-o", "s1.html"],
    ["edgebench", "show", "s1", "--histograms", "-o", "s1.png"],
    ["edgebench", "report", "my-agent", "--out", "report.html"],
    ["edgebench", "record", "nearest", "edgebench/smoke-v0", "--region", "s1"],
    ["python", "-c", TEAM],
    ["edgebench", "train", "ppo", "--regions", "s1", "--steps", "2000", "--set", "each=4", "--out", "learned"],
    ["edgebench", "eval", "learned/seed-0", "--regions", "s1", "--out", "learned-run"],
)
VERSIONS_OF = ("numpy", "pandas", "torch")
TOLD = f"from importlib.metadata import version; print(*(f'{{n}} {{version(n)}}' for n in {VERSIONS_OF}), sep=', ')"


class Environment:
    """A fresh virtual environment with the wheel, and an empty folder to work in."""

    def __init__(self, folder: Path, python: str, versions: str, wheel: Path) -> None:
        """Raises CalledProcessError where the versions cannot be installed together from wheels alone."""
        self._folder, self._versions, self._wheel = folder, versions, wheel
        self._venv = folder / "venv"
        run([UV, "venv", "--quiet", "--python", python, str(self._venv)])
        self.install()

    def install(self, *extras: str) -> None:
        """The wheel with these extras, all of wheels, in the versions asked for."""
        into, wanted = ["--quiet", "--python", str(self._venv)], f"{self._wheel}[{','.join(extras)}]"
        which = ["--constraints", str(self._constraints(extras))]
        run([UV, "pip", "install", *into, "--only-binary", ":all:", *which, wanted])
        run([UV, "pip", "check", *into])

    def _constraints(self, extras: tuple[str, ...]) -> Path:
        """Found from the checkout: what a wheel asks for is nothing direct to uv, which would take the newest."""
        if self._versions == "pinned":
            return ROOT / "constraints.txt"
        found, wanted = self._folder / "constraints.txt", [f"--extra={extra}" for extra in extras]
        which = ["--only-binary", ":all:", "--resolution", self._versions, *wanted, "--output-file", str(found)]
        run([UV, "pip", "compile", "--quiet", "--python", str(self._venv), *which, str(ROOT / "pyproject.toml")])
        return found

    def use(self, *commands: list[str]) -> str:
        """Run commands of the environment in its own empty folder, with a data folder and machine code of its own.

        Returns:
            What the last one wrote.
        """
        work = self._folder / "work"
        work.mkdir(exist_ok=True)
        shutil.copy(ROOT / "examples" / "my_agent.py", work)
        scripts = self._venv / ("Scripts" if os.name == "nt" else "bin")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
            "EDGEBENCH_HOME": str(self._folder / "home"),
            "EDGEBENCH_OFFLINE": "1",
            "MINARI_DATASETS_PATH": str(self._folder / "datasets"),
            "XDG_CACHE_HOME": str(self._folder / "cache"),
        }
        wrote = ""
        for program, *arguments in commands:
            wrote = run([str(scripts / program), *arguments], work, environment)
        return wrote.strip()


def run(command: list[str], folder: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a command that must succeed and return what it wrote; CalledProcessError with that if it does not."""
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ).stdout


def build(folder: Path) -> Path:
    """The wheel, made of the sdist, which is made of the checkout."""
    run([sys.executable, "-m", "build", "--installer", "uv", "--outdir", str(folder), str(ROOT)])
    return next(folder.glob("*.whl"))


def smoke(scratch: Path, wheel: Path, python: str, versions: str, *, whole: bool) -> bool:
    """Try the wheel once and print how it went."""
    begun, folder = time.perf_counter(), scratch / f"{python}-{versions}"
    try:
        environment = Environment(folder, python, versions, wheel)
        environment.use(*CORE)
        told = versions
        if whole:
            environment.use(*AGENTS)
            environment.install(*EXTRAS)
            told = environment.use(*USE_EXTRAS, ["python", "-c", TOLD])
    except subprocess.CalledProcessError as error:
        print(f"FAILED   Python {python}, {versions}: {' '.join(error.cmd)}\n{error.stdout}", flush=True)
        return False
    print(f"smoke ok  Python {python}, {told}, {time.perf_counter() - begun:.0f} s", flush=True)
    return True


def can_be_had(python: str, scratch: Path) -> bool:
    """Whether uv finds this Python here, or can download it."""
    return not subprocess.run(
        [UV, "venv", "--python", python, str(scratch / python)], capture_output=True, check=False
    ).returncode


def main(arguments: list[str]) -> int:
    """Do what the arguments ask for; 0 if every environment that could be made worked."""
    os.environ.setdefault("PYENV_VERSION", ":".join(PYTHONS))  # pyenv hides a Python that is not among these
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        wheel = build(scratch / "dist")
        if not arguments:
            return not smoke(
                scratch, wheel, f"{sys.version_info.major}.{sys.version_info.minor}", "pinned", whole=False
            )
        if arguments != ["--all"]:
            python, versions = arguments
            return not smoke(scratch, wheel, python, versions, whole=True)
        went = []
        for python in PYTHONS:
            if not can_be_had(python, scratch):
                print(f"missing   Python {python}", flush=True)
                continue
            went += [smoke(scratch, wheel, python, versions, whole=True) for versions in VERSIONS]
        return not all(went)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
