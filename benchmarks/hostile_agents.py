"""Which hostile agents of `tests/harness/hostile` the sandbox refuses or contains on this machine.

Run: python benchmarks/hostile_agents.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "harness"))

from hostile_trial import AGENTS, attempt


def main() -> None:
    """Print a line an agent, what the sandbox has here, and contained / tried."""
    contained, sandbox = 0, ""
    for agent in AGENTS:
        with tempfile.TemporaryDirectory() as folder:
            trial = attempt(agent, Path(folder))
        contained += not trial.problems
        sandbox = trial.sandbox
        came_of_it = f"NOT CONTAINED: {'; '.join(trial.problems)}" if trial.problems else trial.detail or "refused"
        print(f"{agent.stem:<28} {trial.status:<8} {came_of_it:.100}", flush=True)
    print(sandbox)
    print(f"contained / tried: {contained} / {len(AGENTS)}")


if __name__ == "__main__":
    main()
