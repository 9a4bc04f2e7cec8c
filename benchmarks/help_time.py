"""What `edgebench --help` takes, beside a Python that does nothing.

Run: python benchmarks/help_time.py
"""

from __future__ import annotations

import statistics

from common import finish, machine

ROUNDS = 7
CALLS = {
    "python -c pass": ["-c", "pass"],
    "edgebench --help": ["-m", "edgebench.cli", "--help"],
    "import gymnasium": ["-c", "import gymnasium"],
}


def main() -> None:
    """Print the medians of all calls, taken in turn."""
    print(machine())
    for call in CALLS.values():
        finish(call)
    rounds = [{name: finish(call).seconds for name, call in CALLS.items()} for _ in range(ROUNDS)]
    print(f"\nseconds from start to end, median and best of {ROUNDS} interleaved rounds")
    print(f"{'':<20} {'median':>7} {'best':>7} {'over a bare Python':>19}")
    for name in CALLS:
        seconds = [of_round[name] for of_round in rounds]
        ratio = statistics.median(of_round[name] / of_round["python -c pass"] for of_round in rounds)
        print(f"{name:<20} {statistics.median(seconds):>7.3f} {min(seconds):>7.3f} {ratio:>18.1f}x")


if __name__ == "__main__":
    main()
