"""What `edgebench --help` takes, beside a Python that does nothing.

Run: python benchmarks/help_time.py
"""

from __future__ import annotations

from common import machine, print_times

ROUNDS = 7
CALLS = {
    "python -c pass": ["-c", "pass"],
    "edgebench --help": ["-m", "edgebench.cli", "--help"],
    "import gymnasium": ["-c", "import gymnasium"],
}


def main() -> None:
    """Print the medians of all calls."""
    print(machine())
    print_times(CALLS, ROUNDS)


if __name__ == "__main__":
    main()
