"""The tutorials run from the repository, and show what they show in the repository."""

import importlib.util
import re
import shutil
from base64 import b64decode
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.ipynb"))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
LEARNED = "learned"
"""The tag of cells whose figures rest on a training run: its last bits differ from processor to processor."""
WITHIN = 0.1
MOST_BYTES = 60_000


@pytest.fixture(scope="module")
def execute():
    """The module that executes the tutorials."""
    spec = importlib.util.spec_from_file_location("execute_tutorials", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def home(execute, regions_home, tmp_path_factory):
    """A data folder with the standard regions and the board, to write into."""
    folder = tmp_path_factory.mktemp("tutorials")
    shutil.copytree(regions_home / "processed", folder / "processed")
    execute.lay_board(folder)
    return folder


def shown(cell):
    """The texts a cell shows: what it prints, plain results, Markdown."""
    for output in cell.get("outputs", []):
        yield output.get("text", "")
        yield from (output.get("data", {}).get(kind, "") for kind in ("text/plain", "text/markdown"))


def pictures(notebook):
    data = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    return [b64decode(part["image/png"]) for part in data if "image/png" in part]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_shows_what_it_shows_in_the_repository(execute, home, path):
    kept, again = nbformat.read(path, as_version=4), execute.executed(path, home)
    for cell, fresh in zip(kept.cells, again.cells, strict=True):
        old, new = "\n".join(shown(cell)), "\n".join(shown(fresh))
        if LEARNED in cell.metadata.get("tags", []):
            assert NUMBER.sub("0", new).split() == NUMBER.sub("0", old).split(), cell.id
            figures = [[float(number) for number in NUMBER.findall(text)] for text in (new, old)]
            assert figures[0] == pytest.approx(figures[1], abs=WITHIN, rel=WITHIN), cell.id
        else:
            assert new == old, cell.id
    assert len(pictures(again)) == len(pictures(kept)) >= 1


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_what_is_kept_is_small_and_tells_nothing_of_the_machine(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert re.search(r"^(SEEDS|STEPS) = .*  # .+", code[0].source, re.MULTILINE), "no budget in the first cell"
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.get("name") == "stderr" or output.output_type == "error"]
    texts = "\n".join(text for cell in code for text in shown(cell))
    assert not re.search(r"/\w+/|[A-Z]:\\|\d\d:\d\d|20\d\d-\d\d|[Ww]arning", texts)
    assert max(map(len, pictures(notebook))) <= MOST_BYTES


def test_the_page_names_every_tutorial():
    page = (ROOT / "docs" / "tutorials.md").read_text(encoding="utf-8")
    assert len(TUTORIALS) == 5
    assert re.findall(r"examples/tutorials/(\w+\.ipynb)", page) == [path.name for path in TUTORIALS]
