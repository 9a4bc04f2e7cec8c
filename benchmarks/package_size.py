"""How large wheel and sdist are and what in them is, and what `import edgebench` takes beside a bare Python.

Run: python benchmarks/package_size.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

from common import finish, machine

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9
BARE = "python -c pass"
IMPORTS = {
    BARE: "pass",
    "import numpy": "import numpy",
    "import gymnasium": "import gymnasium",
    "import edgebench": "import edgebench",
    "edgebench.load": "import edgebench; edgebench.load",
}


def main() -> None:
    """Print sizes, then the times of imports."""
    print(machine())
    print_sizes()
    print_imports()


def print_sizes() -> None:
    """Build both packages with the backend that is installed and tell their sizes, and the wheel's by folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, str(ROOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (wheel,), (sdist,) = Path(folder).glob("*.whl"), Path(folder).glob("*.tar.gz")
        with zipfile.ZipFile(wheel) as files:
            compressed: Counter[str] = Counter()
            for entry in files.infolist():
                compressed["/".join(entry.filename.split("/")[:2][: entry.filename.count("/")])] += entry.compress_size
            count = len(files.infolist())
        with tarfile.open(sdist) as archive:
            held = len(archive.getmembers())
        size = wheel.stat().st_size
        print(f"\nwheel {size / 1e6:.2f} MB, {count} files; sdist {sdist.stat().st_size / 1e6:.2f} MB, {held} files")
    for name, bytes_there in compressed.most_common(6):
        print(f"{name:<28} {bytes_there / 1e6:>6.2f} MB {bytes_there / size:>6.0%} of the wheel")


def print_imports() -> None:
    """Every import in a process of its own, in turn, round after round."""
    calls = {name: ["-c", code] for name, code in IMPORTS.items()}
    for call in calls.values():
        finish(call)
    rounds = [{name: finish(call).seconds for name, call in calls.items()} for _ in range(ROUNDS)]
    print(f"\nseconds from start to end of a process, median and best of {ROUNDS} interleaved rounds")
    print(f"{'':<20} {'median':>7} {'best':>7} {'over a bare Python':>19}")
    for name in calls:
        seconds = [one[name] for one in rounds]
        ratio = statistics.median(one[name] / one[BARE] for one in rounds)
        print(f"{name:<20} {statistics.median(seconds):>7.3f} {min(seconds):>7.3f} {ratio:>18.1f}x")


if __name__ == "__main__":
    main()
