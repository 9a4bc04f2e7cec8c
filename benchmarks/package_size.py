"""How large wheel and sdist are and what in them is, and what `import edgebench` takes beside a bare Python.

Run: python benchmarks/package_size.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

from common import machine, print_times

ROOT = Path(__file__).resolve().parent.parent
ROUNDS, LARGEST = 9, 6
IMPORTS = {
    "python -c pass": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import gymnasium": ["-c", "import gymnasium"],
    "import edgebench": ["-c", "import edgebench"],
}


def main() -> None:
    """Print sizes, then the times of imports."""
    print(machine())
    print_sizes()
    print_times(IMPORTS, ROUNDS)


def print_sizes() -> None:
    """Build both packages with the backend that is installed and tell their sizes, and the wheel's by folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, str(ROOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (wheel,), (sdist,) = Path(folder).glob("*.whl"), Path(folder).glob("*.tar.gz")
        size, folders = wheel.stat().st_size, folder_sizes(wheel)
        print(f"\nwheel {size / 1e6:.2f} MB, sdist {sdist.stat().st_size / 1e6:.2f} MB")
    for name, held in folders.most_common(LARGEST):
        print(f"{name:<28} {held / 1e6:>6.2f} MB {held / size:>6.0%} of the wheel")


def folder_sizes(wheel: Path) -> Counter[str]:
    """Compressed bytes in the wheel by folder, two levels deep."""
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(wheel) as files:
        for entry in files.infolist():
            folders = entry.filename.split("/")[:-1]
            sizes["/".join(folders[:2])] += entry.compress_size
    return sizes


if __name__ == "__main__":
    main()
