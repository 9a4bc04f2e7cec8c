"""The pages of learned agents say what the kept runs say."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgebench.cli import main
from edgebench.learning.checkpoint import load_method
from edgebench.learning.methods import method_files
from edgebench.learning.play import play_fixed
from edgebench.region import load
from edgebench.registry import DEFAULT_SCENARIO
from edgebench.reproduce.runs import SCORES, SPLIT
from edgebench.reproduce.tables import TABLES

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "leaderboards" / "learning" / "sample"
PAGES = sorted(path for path in (ROOT / "docs" / "results").glob("*.md") if not path.stem.endswith("-real"))
LEARNED = [path.parent for path in sorted(KEPT.glob("*/*/seed-0/weights.safetensors"))]
COMMAND = re.compile(r"^`edgebench (reproduce .*)`:$", re.MULTILINE)


def test_there_are_pages():
    assert PAGES
    assert LEARNED


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_is_drawn_again_from_the_kept_runs_without_learning(built_home, tmp_path, page):
    shutil.copytree(KEPT, tmp_path / "runs" / "sample")
    files = set((tmp_path / "runs").rglob("*"))
    written = page.read_text(encoding="utf-8")
    command = shlex.split(COMMAND.search(written)[1])
    told = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "runs"), "--docs", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert set((tmp_path / "runs").rglob("*")) == files
    assert (tmp_path / page.name).read_text(encoding="utf-8") == written


@pytest.mark.parametrize("run", LEARNED, ids=lambda run: f"{run.parts[-3]}/{run.parts[-2]}")
def test_kept_weights_score_what_is_kept(variants_there, run):
    method, checkpoint = load_method(run)
    kept = json.loads((run / SCORES).read_text(encoding="utf-8"))
    region = next(iter(kept["scores"]))
    played = play_fixed(
        checkpoint.job, method, [load(region)], split=SPLIT, seeds=kept["seeds"][DEFAULT_SCENARIO],
        scenario=DEFAULT_SCENARIO,
    )  # fmt: skip
    assert played[region] == pytest.approx(kept["scores"][region][DEFAULT_SCENARIO], abs=1e-4)


@pytest.mark.parametrize("method", method_files())
def test_a_method_names_the_command_of_its_published_number(method):
    told = method_files()[method].read_text(encoding="utf-8")
    table, row = re.search(r"^Command: edgebench reproduce --table (\S+) --rows (\S+)$", told, re.MULTILINE).groups()
    (found,) = TABLES[table].only([row]).rows
    assert (found.method, found.settings, found.times) == (method, {}, 1)
    assert f"| {row} |" in (ROOT / "docs" / "results" / f"{table}.md").read_text(encoding="utf-8")


def test_what_is_said_of_the_best_stands_in_the_pages():
    told = (ROOT / "docs" / "learning.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\w+) \| (sample|real) \| \S+ (\S+) \| (\S+) (\S+) \| (\S+) \((.+?)\) \| s\d: (.+?) \|$",
        told,
        re.MULTILINE,
    )
    assert len(rows) >= 6
    for track, edition, learned, heuristic, score, difference, interval, least in rows:
        name = f"{track.lower()}-methods{'' if edition == 'sample' else '-real'}.md"
        page = (ROOT / "docs" / "results" / name).read_text(encoding="utf-8")
        assert f"| {learned} |" in page and f"| *{heuristic}* | {score} |" in page
        beside = f"| *{heuristic}* | {difference} | {interval} |"
        assert least in next(line for line in page.splitlines() if line.startswith(beside))
