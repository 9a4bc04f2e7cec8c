"""What travels in the wheel, and that it works away from the checkout; what the README promises."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from edgebench.registry import REGIONS
from edgebench.tracks.route.features import CANDIDATE_FEATURES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, unpacked; built without a network from the backend that is installed, or skipped."""
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (archive,) = out.glob("*.whl")
    with zipfile.ZipFile(archive) as files:
        files.extractall(out / "site")
    return out / "site"


def test_the_wheel_holds_the_sample_the_specifications_and_the_types(wheel):
    names = {path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()}
    assert {
        "edgebench/py.typed",
        "edgebench/harness/references.json",
        "reference_agents/route/tuned_weights.json",
    } <= names
    for region in REGIONS:
        assert f"edgebench/regions/{region}.toml" in names
        assert any(name.startswith("builders/data/") and region in name for name in names), region
    for package in ("edgebench", "builders", "reference_agents"):
        assert f"{package}/__init__.py" in names
    assert not [name for name in names if name.endswith((".nbi", ".nbc", ".pyc"))]
    assert not [name for name in names if name.startswith(("tests/", "processed/", "leaderboards/", "benchmarks/"))]


def test_the_wheel_works_outside_a_checkout(wheel, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = os.environ | {"PYTHONPATH": str(wheel), "EDGEBENCH_HOME": str(tmp_path / "home")}
    code = (
        "import edgebench, sys; assert edgebench.__file__.startswith(sys.argv[1]); print(edgebench.load('s1').digest)"
    )
    for command in (["-m", "edgebench.cli", "build", "--region", "s1"], ["-c", code, str(wheel)]):
        result = subprocess.run(
            [sys.executable, *command], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"[0-9a-f]{64}\n", result.stdout)
    assert (tmp_path / "home" / "processed" / "sample" / "s1" / "manifest.json").is_file()
    assert list(elsewhere.iterdir()) == []


def test_the_example_has_12_lines_and_reads_the_rows_it_names():
    source = (ROOT / "examples" / "my_agent.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) == 12
    names = [feature.name for feature in CANDIDATE_FEATURES]
    assert names[:6] == ["propagation_s", "transmission_s", "measured_extra_s", "queue_s", "loading_s", "service_s"]
    assert names[6] == "quality"


def test_the_readme_shows_the_example_as_it_is():
    source = (ROOT / "examples" / "my_agent.py").read_text(encoding="utf-8")
    assert source.partition("\n\n")[2] in README


def test_the_python_of_the_readme_parses():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        ast.parse(block)


def test_the_readme_names_only_verbs_and_options_that_exist():
    from edgebench.cli import VERBS, main

    calls = re.findall(r"(?:^|[\s`/])edgebench ([a-z]+)((?: [^\s`#]+)*)", README)
    assert {verb for verb, _ in calls} <= set(VERBS)
    for verb, arguments in calls:
        command = main.get_command(None, verb)
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in arguments.split() if word.startswith("-")} <= known, (verb, arguments)


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
