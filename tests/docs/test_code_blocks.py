"""Every block of code in README.md and docs/ runs, page by page and in order, or says before it why it does not.

A page is followed as in a checkout: its folder is the data folder with the sample regions built, `my_agent.py` is the
example unless the page makes its own, `228.csv.gz` the bundled cells of Switzerland. So that it takes seconds, `all`
regions are s1 alone.
"""

import re
import shutil
import sys
from pathlib import Path

import gymnasium
import pytest
from following import INSTALLED, parse, run
from page_blocks import code_blocks, inline_commands

from edgebench.cli import VERBS, main
from edgebench.registration import load_tracks
from edgebench.registry import REGIONS, TRACKS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]


@pytest.fixture
def checkout(regions_home, tmp_path, monkeypatch):
    """The folder in which a page is followed; what it installs is forgotten afterwards."""
    built = tmp_path / "processed" / "sample"
    built.mkdir(parents=True)
    for region in (regions_home / "processed" / "sample").iterdir():
        (built / region.name).symlink_to(region)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "raw").mkdir()
    for cells in (tmp_path / "228.csv.gz", tmp_path / "raw" / "228.csv.gz"):
        shutil.copy(ROOT / "builders" / "data" / "sample_s1.csv.gz", cells)
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / INSTALLED))
    monkeypatch.setattr("edgebench.registry.REGIONS", {"s1": REGIONS["s1"]})
    known = {*TRACKS, *gymnasium.registry}
    yield
    for table in (TRACKS, gymnasium.registry):
        for name in table.keys() - known:
            del table[name]
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(tmp_path):
            del sys.modules[name]
    load_tracks.cache_clear()


@pytest.fixture
def own_reference_agents(checkout, monkeypatch):
    """A copy of the reference agents to add to; it is taken in place of the repository's."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "reference_agents"}
    shutil.copytree(ROOT / "reference_agents", "reference_agents", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(str(Path.cwd()))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "reference_agents"]:
        del sys.modules[name]
    sys.modules.update(kept)


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("page", [page for page in PAGES if code_blocks(ROOT / page)])
def test_every_block_runs_or_says_why_not(page, request):
    names, ran = {"__name__": "page"}, []
    blocks = code_blocks(ROOT / page)
    if not any("edgebench init my_agent.py" in block.text for block in blocks):
        shutil.copy(ROOT / "examples" / "my_agent.py", "my_agent.py")
    if any(block.title.startswith("reference_agents/") for block in blocks):
        request.getfixturevalue("own_reference_agents")
    for block in blocks:
        where = f"{page}:{block.line}"
        if block.reason:
            parse(block, where)
        else:
            run(block, where, names)
            ran.append(block)
    assert ran == [block for block in blocks if not block.reason]


@pytest.mark.parametrize("page", PAGES)
def test_sentences_name_only_verbs_and_options_that_exist(page):
    for text in inline_commands(ROOT / page):
        verb, *words = text.split()[1:]
        if verb in VERBS:
            known = {option for parameter in main.get_command(None, verb).params for option in parameter.opts}
            assert {word for word in words if re.match(r"--?[a-z]", word)} <= known, text
        else:
            assert verb.isupper() or verb.startswith("-"), text
