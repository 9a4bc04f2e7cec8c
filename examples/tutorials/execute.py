"""Execute the tutorials and keep what they show: python examples/tutorials/execute.py [01_heuristic …]

Each runs in an empty folder with the standard regions and the rows of the board, and on one thread, so that what it
shows is the same wherever it is executed.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image
from traitlets.config import Config

from edgebench.atomic import write_text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TIMEOUT_S = 1800
COLOURS = 96
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
ENCRYPTED = Config(KernelManager={"transport_encryption": "auto"})  # else a kernel warns of its plain channel
ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
BOARD = Path("leaderboards", "route", "sample", "trap")


def notebooks() -> list[Path]:
    """The tutorials in the order in which they are read."""
    return sorted(HERE.glob("[0-9]*.ipynb"))


def lay_board(home: Path) -> None:
    """Put the board's rows, which tutorials read, into a data folder."""
    shutil.copytree(ROOT / BOARD, home / BOARD)


def executed(path: Path, home: Path) -> NotebookNode:
    """The notebook with fresh outputs, run in a folder of its own; nbclient's CellExecutionError where a cell raises.

    Args:
        path: The notebook.
        home: A data folder with the standard regions and the board; what the notebook builds goes there.
    """
    notebook = nbformat.read(path, as_version=4)
    environment = os.environ | {"EDGEBENCH_HOME": str(home), **ONE_THREAD}
    with tempfile.TemporaryDirectory(prefix="edgebench-tutorial-") as folder:
        client = NotebookClient(
            notebook, timeout=TIMEOUT_S, kernel_name="python3", record_timing=False, coalesce_streams=True,
            resources={"metadata": {"path": folder}}, config=ENCRYPTED,
        )  # fmt: skip
        client.execute(env=environment)
    notebook.metadata = METADATA
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if "image/png" in output.get("data", {}):
            output.data["image/png"] = _small(output.data["image/png"])
    return notebook


def _small(png: str) -> str:
    """A picture in base64 with a palette in place of full colours."""
    small = io.BytesIO()
    with Image.open(io.BytesIO(b64decode(png))) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return b64encode(small.getvalue()).decode() + "\n"


def main(wanted: list[str]) -> None:
    """Execute the tutorials that are named, or all, and write them back."""
    with tempfile.TemporaryDirectory(prefix="edgebench-home-") as folder:
        home = Path(folder)
        build = [sys.executable, "-m", "edgebench.cli", "build", "--all"]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"EDGEBENCH_HOME": folder})
        lay_board(home)
        for path in notebooks():
            if not wanted or path.stem in wanted:
                print(path.name, flush=True)
                write_text(path, nbformat.writes(executed(path, home)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
