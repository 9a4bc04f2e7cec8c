"""The Croissant description: sound to mlcroissant, complete, true of the files, the same every time."""

import hashlib
import json

import pytest

from builders.pipeline import build_region
from edgebench.croissant import CROISSANT, make_croissant
from edgebench.region import read_region
from edgebench.registry import region_spec
from edgebench.schema import TABLES

pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index:DeprecationWarning"),
]
"""mlcroissant calls what rdflib and pandas will drop."""

UNDATED = 'Property "https://schema.org/datePublished" is recommended, but does not exist.'
"""What mlcroissant remarks on a region whose dump has no date, and all it may remark."""


@pytest.fixture(scope="module")
def s1(regions):
    return regions["s1"]


@pytest.fixture(scope="module")
def described(s1):
    return json.loads((s1.path / CROISSANT).read_text(encoding="utf-8"))


def of_opencellid(manifest):
    """The manifest as a dated file of OpenCellID would give it."""
    from builders.manifest import CELLS_ATTRIBUTION, CELLS_LICENCE

    source = manifest["source"] | {"file": "228_mls_202403.csv.gz", "dump_date": "2024-03"}
    terms = {"licence": CELLS_LICENCE, "attribution": CELLS_ATTRIBUTION, "edition": "ocid-202403"}
    return manifest | terms | {"source": source}


def validated(jsonld):
    """mlcroissant's reading of a description, and the issues it found."""
    mlcroissant = pytest.importorskip("mlcroissant")
    dataset = mlcroissant.Dataset(jsonld=jsonld)
    return dataset, dataset.metadata.ctx.issues


def test_mlcroissant_finds_it_sound(s1):
    _, issues = validated(s1.path / CROISSANT)
    assert not issues.errors
    assert all(remark.endswith(UNDATED) for remark in issues.warnings)


def test_mlcroissant_has_no_remark_on_a_dated_region(s1):
    dataset, issues = validated(make_croissant(of_opencellid(s1.manifest), s1.path))
    assert not issues.errors and not issues.warnings
    assert dataset.metadata.date_published.isoformat() == "2024-03-01T00:00:00"


def test_mlcroissant_would_refuse_a_wrong_one(s1):
    mlcroissant = pytest.importorskip("mlcroissant")
    wrong = make_croissant(s1.manifest, s1.path)
    wrong["recordSet"][1]["field"][0]["source"]["fileObject"]["@id"] = "nowhere.parquet"
    with pytest.raises(mlcroissant.ValidationError):
        validated(wrong)


@pytest.mark.parametrize("table", TABLES)
def test_mlcroissant_reads_every_row_back(s1, table):
    dataset, _ = validated(s1.path / CROISSANT)
    found = list(dataset.records(table))
    expected = s1.tables[table].to_pylist()
    assert len(found) == len(expected)
    for row, due in zip(found, expected, strict=True):
        assert {name.removeprefix(f"{table}/"): _plain(value) for name, value in row.items()} == due


def _plain(value):
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.decode() if isinstance(value, bytes) else value


def test_mlcroissant_knows_the_splits(s1):
    dataset, _ = validated(s1.path / CROISSANT)
    assert [row["splits/name"] for row in dataset.records("splits")] == ["train", "val", "test"]


def test_every_column_has_its_meaning_and_unit(described):
    fields = {field["@id"]: field for record_set in described["recordSet"][1:] for field in record_set["field"]}
    assert list(fields) == [f"{table}/{name}" for table, schema in TABLES.items() for name in schema.names]
    assert fields["links/latency_ms"]["description"] == "propagation one way, without the forwarding of a hop [ms]"
    assert fields["links/trap_enter"]["description"] == "chance a slot to turn bad; null: no trap [1/slot]"
    assert fields["tasks/stage_tokens"]["repeated"] and fields["tasks/stage_tokens"]["dataType"] == "sc:Integer"
    assert fields["links/is_trap"]["dataType"] == "sc:Boolean"


def test_digests_are_those_of_the_files(s1, described):
    assert [entry["@id"] for entry in described["distribution"]] == [
        *(f"{name}.parquet" for name in TABLES),
        "README.md",
    ]
    for entry in described["distribution"]:
        content = (s1.path / entry["contentUrl"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["contentSize"] == f"{len(content)} B"


def test_licence_and_attribution_are_the_manifest_s(s1, described):
    assert described["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert described["description"].endswith("Attribution: EdgeBench sample cells, generated")
    cells = make_croissant(of_opencellid(s1.manifest), s1.path)
    assert cells["license"] == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert "OpenCelliD Project (https://opencellid.org)" in cells["description"]
    words = "no licence stated: for your own use, do not pass on"
    assert make_croissant(s1.manifest | {"licence": words}, s1.path)["license"] == words


def test_the_date_is_the_dump_s_or_none(s1, described):
    assert "datePublished" not in described
    assert make_croissant(of_opencellid(s1.manifest), s1.path)["datePublished"] == "2024-03"


def test_the_same_build_writes_the_same_description(s1, tmp_path):
    again = build_region(region_spec("s1"), target=tmp_path / "again")
    for name in (CROISSANT, "README.md"):
        assert (again / name).read_bytes() == (s1.path / name).read_bytes()
    assert read_region(again).digest == s1.digest
