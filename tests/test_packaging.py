"""What the README promises, and that every dependency is pinned."""

import re
import tomllib
from pathlib import Path

from edgebench.tracks.route.features import CANDIDATE_FEATURES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_has_12_lines_and_reads_the_rows_it_names():
    source = (ROOT / "examples" / "my_agent.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) == 12
    names = [feature.name for feature in CANDIDATE_FEATURES]
    assert names[:6] == ["propagation_s", "transmission_s", "measured_extra_s", "queue_s", "loading_s", "service_s"]
    assert names[6] == "quality"


def test_the_readme_shows_the_example_as_it_is():
    source = (ROOT / "examples" / "my_agent.py").read_text(encoding="utf-8")
    assert source.partition("\n\n")[2] in README


def test_the_links_of_the_readme_lead_somewhere():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target


def test_the_table_of_the_readme_is_the_leaderboards():
    page = ROOT / "leaderboards" / "route" / "sample" / "leaderboard.md"
    table = README.partition("<!-- leaderboard -->\n")[2].partition("<!-- /leaderboard -->")[0]
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert table.splitlines() == rows[: len(table.splitlines())]
    assert len(table.splitlines()) > 3


def test_every_dependency_is_pinned_once():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = [line.partition("==")[0].lower().replace("_", "-") for line in text.splitlines() if not line.startswith("#")]
    assert len(pins) == len(set(pins))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    names = {re.split(r"[<>=!~\[; ]", entry)[0].lower().replace("_", "-") for entry in asked} - {"edgebench"}
    assert names <= set(pins)


def test_nothing_public_names_a_place_on_a_disk():
    texts = [path for path in ROOT.glob("*.md")] + list((ROOT / "edgebench").rglob("*.py"))
    for path in texts:
        assert not re.search(r"/(home|work|root|opt|Users)/\w", path.read_text(encoding="utf-8")), path
