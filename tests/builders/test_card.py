"""The card of a region: complete, true to the manifest, harmless whatever a title holds."""

import re

import pytest
import yaml

from edgebench.card import CARD, SPLIT, card_text
from edgebench.registry import TRACKS
from edgebench.schema import TABLES


@pytest.fixture(scope="module")
def manifest(regions):
    return regions["s1"].manifest


def head(card):
    """The YAML between the first two lines of hyphens."""
    return yaml.safe_load(card.split("---\n")[1])


def test_the_region_s_folder_holds_it(regions, manifest):
    assert (regions["s1"].path / CARD).read_text(encoding="utf-8") == card_text(manifest)


def test_the_head_names_licence_tables_and_title(manifest):
    stated = head(card_text(manifest))
    assert stated["license"] == "cc0-1.0"
    assert stated["pretty_name"] == "EdgeBench s1: Switzerland (sample)"
    files = {config["config_name"]: config["data_files"] for config in stated["configs"]}
    assert files == {name: [{"split": SPLIT, "path": f"{name}.parquet"}] for name in TABLES}


@pytest.mark.parametrize(
    ("licence", "stated"),
    [
        ("CC-BY-SA-4.0", {"license": "cc-by-sa-4.0"}),
        ("MIT", {"license": "mit"}),
        ("no licence stated: ask", {"license": "other", "license_name": "no licence stated: ask"}),
    ],
)
def test_licences_are_named_as_the_hub_does(manifest, licence, stated):
    card = card_text(manifest | {"licence": licence, "attribution": "Somebody (https://example.org)"})
    assert head(card).items() >= stated.items()
    assert licence in card and "Attribution: Somebody (https://example.org)" in card


def test_every_column_and_every_dropped_row_is_told(manifest):
    card = card_text(manifest)
    for schema in TABLES.values():
        for column in schema:
            assert f"| `{column.name}` |" in card and column.metadata[b"meaning"].decode() in card
    for drop in manifest["dropped"]:
        assert f"| {drop['filter']} | {drop['reason']} | {drop['rows']:,} | {drop['left']:,} |" in card
    assert manifest["source"]["sha256"] in card and manifest["digest"] in card
    assert all(entry["digest"] in card for entry in manifest["tables"].values())


def test_methods_figures_and_the_check_are_told(manifest):
    card = card_text(manifest)
    for words in ("| nodes | spread |", "| links | gabriel |", "| their behaviour | gilbert-elliott |", "privileged",
                  "| links a node | 2 – 5, mean 3.2 |", "edgebench check s1", "generated"):  # fmt: skip
        assert words in card


def test_regions_of_other_cells_name_the_dump_and_how_to_check(manifest):
    source = manifest["source"] | {"file": "228_mls_202403.csv.gz", "dump_date": "2024-03"}
    card = card_text(manifest | {"edition": "ocid-202403", "source": source, "attribution": "OpenCelliD Project"})
    assert "| date of the dump | 2024-03 |" in card
    assert "edgebench check s1 --edition ocid-202403 --cells FILE" in card
    assert "generated: it ranks agents" not in card


def test_imported_regions_list_their_files(manifest):
    source = {"file": "dir", "sha256": "0" * 64, "files": {"a.csv": "1" * 64}, "rows": 5, "dump_date": None}
    spec = manifest["spec"] | {"family": "imported", "mcc": []}
    card = card_text(manifest | {"edition": "legacy", "source": source, "spec": spec, "dropped": []})
    assert f"| file a.csv | SHA-256 {'1' * 64} |" in card
    assert "edgebench check" not in card and "Rows that were dropped" not in card


def test_a_title_cannot_break_head_or_tables(manifest):
    title = 'A | "b": <script>\n---\n# c'
    card = card_text(manifest | {"title": title})
    assert head(card)["pretty_name"] == f"EdgeBench s1: {title} (sample)"
    body = card.split("---\n", 2)[2]
    assert "<script>" not in body and not re.search(r"^# c", body, flags=re.MULTILINE)


def test_every_track_is_told(manifest):
    text = card_text(manifest)
    for track in TRACKS.values():
        assert f"| `{track.any_env_id}` | {track.question} |" in text
    assert 'gymnasium.make(id, region="s1", edition="sample")' in text
