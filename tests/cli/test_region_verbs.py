"""Check, diff, pack and add at the command line."""

import json
import shutil

import pytest

from edgebench.schema import TABLES, region_digest

HEADER = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"


def cells(count):
    """LTE cells in Switzerland, each on a mast of its own."""
    lines = [HEADER]
    for number in range(count):
        lon, lat = 6.2 + 3.2 * (number * 0.618034 % 1), 46.2 + 1.3 * (number * 0.754878 % 1)
        lines.append(
            f"LTE,228,1,100,{256 * (1000 + number) + 1},0,{lon:.6f},{lat:.6f},1000,20,1,1600000000,1700000000,0"
        )
    return "\n".join([*lines, ""])


@pytest.fixture
def own_home(built, home):
    """A copy of the data folder with s1 to write into."""
    shutil.copytree(built, home)
    return home


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A data folder with s1 of the edition `mine`, built with seed 5, and its cells."""
    from builders.pipeline import build_region
    from edgebench.registry import region_spec

    folder = tmp_path_factory.mktemp("mine")
    file = folder / "cells.csv"
    file.write_text(cells(2000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(folder))
        build_region(region_spec("s1"), cells=file, edition="mine", seed=5)
    return folder


@pytest.fixture
def with_mine(mine, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(mine))
    return mine


def edit_manifest(home, change):
    """Change the manifest of s1 of the sample edition."""
    path = home / "processed" / "sample" / "s1" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_check_of_the_sample(run, run_json, with_s1):
    before = files(with_s1)
    checks = run_json("check", "s1")
    assert [check["table"] for check in checks] == list(TABLES)
    assert all(check["same"] and check["recorded"] == check["rebuilt"] for check in checks)
    shown = run("check", "s1")
    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout.count("same") == 4 and checks[0]["recorded"][:16] in shown.stdout
    assert files(with_s1) == before


def test_check_of_another_edition_uses_its_seed_and_cells(run, run_json, with_mine):
    checks = run_json("check", "s1", "--edition", "mine", "--cells", with_mine / "cells.csv")
    assert all(check["same"] for check in checks)
    other = with_mine / "other.csv"
    other.write_text(cells(1999))
    for arguments, said in (
        ([], "its cells are needed"),
        (["--cells", other], "built from other cells"),
        (["--cells", with_mine / "none.csv"], "none.csv"),
    ):
        result = run("check", "s1", "--edition", "mine", *arguments)
        assert result.exit_code == 2 and said in result.stderr, result.output


def test_check_finds_what_does_not_follow_from_the_cells(run, own_home):
    edit_manifest(own_home, lambda manifest: manifest.update(seed=1))
    result = run("check", "s1")
    assert result.exit_code == 1, result.output
    assert "tasks      differs" in result.stdout and "s1 differs: built by version" in result.stderr
    listed = run("check", "s1", "--json")
    assert listed.exit_code == 1
    assert not all(check["same"] for check in json.loads(listed.stdout))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda manifest: manifest["tables"]["nodes"].update(digest="0"), "differ from the digest"),
        (lambda manifest: manifest.pop("spec"), "does not say how the region was built"),
        (lambda manifest: manifest["spec"].update(nodes="many"), "does not say how the region was built"),
        (lambda manifest: manifest["spec"].update(name="../s2"), "does not say how the region was built"),
        (lambda manifest: manifest.update(seed="1"), "its seed is '1'"),
        (lambda manifest: manifest["source"].update(sha256="0"), "built from other cells"),
        (lambda manifest: manifest.update(region="s2"), "the manifest is of region 's2'"),
    ],
)
def test_check_refuses_a_manifest_it_cannot_use(run, own_home, change, said):
    edit_manifest(own_home, change)
    result = run("check", "s1")
    assert result.exit_code == 2 and said in result.stderr, result.output


def test_the_sample_takes_no_cells(run, with_s1):
    result = run("check", "s1", "--cells", __file__)
    assert result.exit_code == 2 and "bundled sample alone" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "s3"], "region 's3' of edition 'sample' is not built"),
        (["pack", "s1", "--edition", "none"], "is not built"),
        (["pack", "../s1"], "unknown region '../s1'"),
        (["check", "s1", "--edition", "../sample"], "cannot name a edition"),
        (["diff", "s1", "s3"], "no built region 's3'"),
        (["diff", "nowhere/at/all", "s1"], "no built region 'nowhere/at/all'"),
        (["diff", __file__, "s1"], "is a file and the other is none"),
    ],
)
def test_what_is_not_there_is_told(run, with_s1, arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2 and said in result.stderr, result.output
    assert "Traceback" not in result.output


def test_pack_and_add(run, with_mine, tmp_path, monkeypatch):
    archive = tmp_path / "mine.zip"
    packed = run("pack", "s1", "--edition", "mine", "-o", archive)
    assert packed.exit_code == 0 and str(archive) in packed.stderr.replace("\n", "")
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "colleague"))
    added = run("add", archive)
    assert added.exit_code == 0, added.stderr
    assert "OpenCelliD Project" in added.stdout
    assert "edgebench check s1 --edition mine --cells FILE" in added.stderr.replace("\n", " ")
    checked = run("check", "s1", "--edition", "mine", "--cells", with_mine / "cells.csv")
    assert checked.exit_code == 0, checked.output


def test_pack_and_add_as_json(run_json, mine, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(mine))
    archive = tmp_path / "mine.zip"
    packed = run_json("pack", "s1", "--edition", "mine", "-o", archive)
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "colleague"))
    added = run_json("add", archive)
    assert packed["file"] == str(archive)
    assert [packed[key] for key in ("region", "edition", "digest")] == ["s1", "mine", added["digest"]]
    assert (added["region"], added["edition"]) == ("s1", "mine")


def test_pack_names_its_file_after_region_and_edition(run, with_s1, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("pack", "s1").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["s1-sample.zip"]


def test_add_replaces_only_by_force(run, with_s1, tmp_path, monkeypatch):
    archive = tmp_path / "s1.zip"
    assert run("pack", "s1", "-o", archive).exit_code == 0
    home = tmp_path / "colleague"
    shutil.copytree(with_s1, home)
    monkeypatch.setenv("EDGEBENCH_HOME", str(home))
    assert run("add", archive).exit_code == 0
    edit_manifest(home, lambda manifest: manifest.update(title="Another"))
    refused = run("add", archive)
    assert refused.exit_code == 2 and "a different region is there already" in refused.stderr
    assert run("add", archive, "--force").exit_code == 0
    assert run("add", archive).exit_code == 0


def test_a_file_that_is_no_archive_is_refused(run, home, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 not really")
    result = run("add", tmp_path / "a.zip")
    assert result.exit_code == 2 and result.stderr.startswith("error: not an archive to add")
    assert not home.exists()
    assert run("add", tmp_path / "none.zip").exit_code == 2


def test_diff_by_name_edition_and_folder(run, run_json, with_s1, mine):
    assert run_json("diff", "s1", "sample/s1")["same"]
    found = run_json("diff", "s1", mine / "processed" / "mine" / "s1")
    assert not found["same"]
    assert found["about"]["edition"] == ["sample", "mine"]
    assert found["source"]["file"] == ["sample_s1.csv.gz", "cells.csv"]
    digests = {name: table["digest"] for name, table in run_json("show", "s1")["tables"].items()}
    assert found["about"]["digest"][0] == region_digest(digests)


def test_diff_prints_tables_of_80_columns(run, with_s1, mine):
    shown = run("diff", "s1", mine / "processed" / "mine" / "s1")
    assert shown.exit_code == 0, shown.stderr
    words = " ".join(shown.stdout.split())
    assert "source, where it differs" in words and "edition sample mine" in words and "the tables differ" in words
    assert all(len(line.rstrip()) <= 80 for line in shown.stdout.splitlines())
