"""How many broken foreign files make a reader raise anything but EdgeBenchError: inputs tried / crashes.

Run: python benchmarks/fuzz.py [inputs a reader, 2000]
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "leaderboard"))

from foreign_data import data_readers
from foreign_readers import Reader, broken, crash, readers


def main() -> None:
    """Print a line a reader, then the sums."""
    each = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    crashes = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDGEBENCH_HOME"] = folder
        kinds = readers(Path(folder)) + data_readers(Path(folder))
        for number, reader in enumerate(kinds):
            crashes += tell(reader, each, random.Random(number))
    print(f"inputs tried / crashes: {each * len(kinds)} / {crashes}")


def tell(reader: Reader, inputs: int, dice: random.Random) -> int:
    """Print what came of a reader's broken files; returns the number of crashes. The healthy file is put back."""
    healthy, begun = reader.path.read_bytes(), time.monotonic()
    found = Counter(crash(reader, broken(healthy, dice)) for _ in range(inputs))
    reader.path.write_bytes(healthy)
    crashes = inputs - found.pop("", 0)
    print(f"{reader.name:<42} {inputs} inputs, {crashes} crashes, {time.monotonic() - begun:.1f} s", flush=True)
    for what, times in found.most_common(5):
        print(f"    {times} × {what}")
    return crashes


if __name__ == "__main__":
    main()
