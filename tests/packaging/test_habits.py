"""Licences of all files, the citation, the forms and hooks: they parse and agree with the package."""

import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

import edgebench
from edgebench.registry import TRACKS

ROOT = Path(__file__).resolve().parent.parent.parent
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
FIELDS = {"markdown", "input", "textarea", "dropdown", "checkboxes"}


def read(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def licence_of(name, annotations):
    """As the REUSE specification has it: the last annotation that fits."""
    return [entry["SPDX-License-Identifier"] for entry in annotations if fnmatch(name, entry["path"])][-1]


def test_every_file_has_a_licence_whose_text_is_here():
    annotations = tomllib.loads((ROOT / "REUSE.toml").read_text(encoding="utf-8"))["annotations"]
    assert licence_of("edgebench/__init__.py", annotations) == "Apache-2.0"
    samples = list((ROOT / "builders" / "data").iterdir())
    assert {licence_of(path.relative_to(ROOT).as_posix(), annotations) for path in samples} == {"CC0-1.0"}
    used = {entry["SPDX-License-Identifier"] for entry in annotations}
    assert used == {path.stem for path in (ROOT / "LICENSES").iterdir()}
    assert (ROOT / "LICENSES" / "Apache-2.0.txt").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_citation_is_of_this_version():
    citation = read("CITATION.cff")
    assert {"cff-version", "title", "message", "authors"} <= set(citation)
    assert citation["version"] == edgebench.__version__
    assert citation["license"] == ["Apache-2.0", "CC0-1.0"]


@pytest.mark.parametrize("path", [path for path in FORMS if path.stem != "config"], ids=lambda path: path.stem)
def test_issue_forms_have_what_github_asks_for(path):
    form = read(path)
    assert {"name", "description", "body"} <= set(form)
    asked = [field for field in form["body"] if field["type"] != "markdown"]
    assert asked
    assert {field["type"] for field in form["body"]} <= FIELDS
    assert all(field["attributes"]["label"] for field in asked)
    names = [field["id"] for field in asked]
    assert len(names) == len(set(names))


def test_the_submission_form_asks_for_what_a_board_needs():
    fields = {field.get("id"): field for field in read(".github/ISSUE_TEMPLATE/submission.yml")["body"]}
    own = [name for name in TRACKS if (ROOT / "edgebench" / "tracks" / name).is_dir()]
    assert fields["track"]["attributes"]["options"] == own
    assert {"name", "scenario", "kind", "command"} <= {name for name in fields if name}
    assert all(option["required"] for option in fields["promises"]["attributes"]["options"])


def test_the_workflow_runs_the_checks_on_every_python_that_is_promised():
    workflow = read(".github/workflows/ci.yml")
    checks = workflow["jobs"]["checks"]
    assert {"run": "bash .ci/run"} in checks["steps"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = [name.rpartition(" ")[2] for name in project["classifiers"] if "Python :: 3." in name]
    assert checks["strategy"]["matrix"]["python"] == promised


def test_the_hooks_are_understood_by_pre_commit():
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(ROOT / ".pre-commit-config.yaml")]
    subprocess.run(command, check=True, capture_output=True)
