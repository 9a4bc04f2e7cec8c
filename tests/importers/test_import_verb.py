"""`edgebench import` and `edgebench compat`."""

import json

import pytest
from click.testing import CliRunner
from legacy_toy import write_topofreerl, write_vamappo

from edgebench.cli import main


@pytest.fixture
def run():
    def call(*arguments):
        return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="edgebench")

    return call


def test_a_refused_import_shows_the_report_and_how_to_mend(run, home, tmp_path, vamappo):
    vamappo["train"][2][6] = 0
    result = run("import", "vamappo", write_vamappo(tmp_path / "data", vamappo))
    assert result.exit_code == 2
    assert "zero size" in result.stdout and "train.csv" in result.stdout
    assert result.stderr.startswith("error: the data cannot become a region as it is: zero size 1")
    assert "--mend" in result.stderr and "Traceback" not in result.output
    assert not home.exists()


def test_a_refused_import_as_json(run, home, tmp_path, vamappo):
    vamappo["train"][2][6] = 0
    result = run("import", "vamappo", write_vamappo(tmp_path / "data", vamappo), "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["region"], told["report"]["mended"]) == (2, None, {})
    assert [(defect["file"], defect["row"]) for defect in told["report"]["defects"]] == [("train.csv", 3)]


def test_a_mended_import(run, home, tmp_path, vamappo):
    vamappo["train"][2][6] = 0
    folder = write_vamappo(tmp_path / "data", vamappo)
    result = run("import", "vamappo", folder, "--as", "mine", "--edition", "old", "--mend", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["region"]["region"], told["region"]["edition"]) == (0, "mine", "old")
    assert told["report"]["mended"] == told["region"]["mended"] == {"zero size": 1}
    again = run("import", "vamappo", folder, "--as", "mine", "--edition", "old", "--mend")
    assert again.exit_code == 0 and told["region"]["digest"] in again.stdout
    shown = run("show", "mine", "--edition", "old")
    assert shown.exit_code == 0, shown.output
    assert "dropped because" not in shown.stdout


def test_an_imported_region_is_checked_by_importing_it_again(run, home, tmp_path, vamappo):
    (tmp_path / "LICENSE").write_text("MIT License\n\nCopyright (c) 2025 Nobody\n")
    folder = write_vamappo(tmp_path / "data", vamappo)
    assert run("import", "vamappo", folder, "--as", "mine").exit_code == 0
    for cells in ([], ["--cells", tmp_path / "LICENSE"]):
        checked = run("check", "mine", "--edition", "legacy", *cells)
        assert checked.exit_code == 2
        assert "edgebench import vamappo DIR --as mine" in checked.stderr
    assert run("import", "vamappo", folder, "--as", "mine").exit_code == 0
    packed = run("pack", "mine", "--edition", "legacy", "-o", tmp_path / "mine.zip")
    assert packed.exit_code == 0, packed.stderr
    added = run("add", tmp_path / "mine.zip")
    assert added.exit_code == 0 and "edgebench check" not in added.stderr


def test_the_single_deployment(run, home, tmp_path, vamappo):
    folder = write_vamappo(tmp_path / "data", vamappo)
    (folder / "server7_RandomDeployment.CSV").rename(folder / "server7_SINGLEDEPLOYMENT.csv")
    assert run("import", "vamappo", folder).exit_code == 2
    assert run("import", "vamappo", folder, "--placement", "single").exit_code == 0
    assert (home / "processed" / "legacy" / "legacy-s7-single" / "manifest.json").is_file()


@pytest.mark.parametrize("system", ["vamappo", "topofreerl"])
def test_compat(run, tmp_path, vamappo, topofreerl, system):
    if system == "vamappo":
        folder = write_vamappo(tmp_path / "data", vamappo)
    else:
        folder = write_topofreerl(tmp_path / "data", topofreerl)
    shown = run("compat", system, folder, "--seeds", 1)
    told = json.loads(run("compat", system, folder, "--seeds", 1, "--json").stdout)
    assert shown.exit_code == 0 and "random-valid" in shown.stdout
    figure = "episode_return" if system == "vamappo" else "latency_ms"
    assert f"{told['policies']['random-valid'][figure]:.4f}" in shown.stdout


def test_compat_refuses_rows_that_cannot_be_read(run, tmp_path, vamappo):
    vamappo["test"][1][3] = "[1, 9]"
    result = run("compat", "vamappo", write_vamappo(tmp_path / "data", vamappo))
    assert result.exit_code == 2 and "test.CSV, row 2" in result.stderr
