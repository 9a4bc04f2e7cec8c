"""The total board: entrants over several tracks, their tags, and that nothing is mixed or made up."""

import csv
import dataclasses
import io
import json

import pytest
from board_toy import ROUTE, all_rows, is_close, manifest_of, write_run

from edgebench import __version__
from edgebench.errors import EdgeBenchError
from edgebench.leaderboard import total, total_page
from edgebench.leaderboard.ledger import VERIFIED, writing
from edgebench.leaderboard.tags import TAGGED_SCENARIOS, TAGS, Tag
from edgebench.leaderboard.total import entrant_names, read_total, total_records
from edgebench.leaderboard.total_page import draw_radar, write_total
from edgebench.registry import REGIONS, SCENARIOS, TRACKS, UNSEEN

TOY_TAGS = (
    Tag("trap", "both regions", "trap", ("s1", "s2")),
    Tag("burst", "both regions in burst", "burst", ("s1", "s2")),
    Tag("scale", "the second", "trap", ("s2",)),
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Two tracks, route and its twin, two regions, three tags."""
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    for name in [name for name in TRACKS if name != "route"]:
        monkeypatch.delitem(TRACKS, name)
    monkeypatch.setitem(TRACKS, "twin", dataclasses.replace(ROUTE, name="twin"))
    for module in (total, total_page):
        monkeypatch.setattr(module, "TAGS", TOY_TAGS)
    monkeypatch.setattr(total, "REGIONS", ["s1", "s2"])
    return tmp_path / "leaderboards"


def enter(home, track, name, utility, scenario="trap", **changes):
    rows = [row | {"track": track} for row in all_rows(utility, scenario=scenario)]
    write_run(home / track / "sample" / scenario / name, rows, manifest_of(track=track, scenario=scenario, **changes))


def test_the_total_is_the_mean_over_the_tracks(home):
    for track, utility in (("route", 0.6), ("twin", 0.4)):
        enter(home, track, "both", utility)
        enter(home, track, "lower", utility - 0.1)
    entrants = read_total("sample")
    assert [(row.rank, row.name) for row in entrants] == [(1, "both"), (2, "lower")]
    one, other = (entrants[0].profiles[track].score.value for track in TRACKS)
    assert is_close(entrants[0].total.value, (one + other) / 2)
    assert entrants[0].total.low < entrants[0].total.value < entrants[0].total.high


def test_the_mark_of_an_entrant_is_the_weakest_of_its_entries(home):
    for track in TRACKS:
        enter(home, track, "a", 0.5)
        enter(home, track, "b", 0.1)
    enter(home, "route", "a", 0.5, "burst")
    entries = sorted(home.glob("*/sample/*/a"))
    with writing(home) as book:
        for folder in entries[:-1]:
            book.add(folder, VERIFIED, "equal", "4/8")
    (row, other) = read_total("sample")
    assert str(row.status) == str(other.status) == "self-reported"
    assert {track: str(profile.status) for track, profile in row.profiles.items()} == {
        "route": "verified 8/16", "twin": "self-reported",
    }  # fmt: skip
    with writing(home) as book:
        book.add(entries[-1], VERIFIED, "equal", "8/8")
    row = read_total("sample")[0]
    assert str(row.status) == total_records([row])[0]["status"] == "verified 16/24" and row.places == (1, 1)
    paths = write_total([row], "sample")
    assert "| verified 16/24 |" in paths[1].read_text(encoding="utf-8")


def test_equals_share_a_rank_whatever_their_name(home):
    for track in TRACKS:
        for name, utility in (("b", 0.6), ("a", 0.6), ("c", 0.2)):
            enter(home, track, name, utility)
    assert [(row.rank, row.name) for row in read_total("sample")] == [(1, "a"), (1, "b"), (3, "c")]


def test_an_entrant_may_be_called_otherwise_on_each_track_and_may_be_missing(home):
    enter(home, "route", "nearest", 0.3)
    enter(home, "twin", "all-local", 0.3)
    enter(home, "route", "alone", 0.9)
    (home / "entrants.toml").write_text(
        '[local]\nroute = "nearest"\ntwin = "all-local"\n[specialist]\nroute = "alone"\n', encoding="utf-8"
    )
    entrants = read_total("sample")
    assert [(row.rank, row.name) for row in entrants] == [(1, "local"), (None, "specialist")]
    assert entrants[1].total is None and entrants[1].tag("trap") is None
    assert entrants[1].profiles["route"].tags["trap"] is not None


def test_a_tag_is_the_score_on_its_slice_alone(home):
    for track in TRACKS:
        enter(home, track, "a", 0.5)
    enter(home, "route", "a", 0.3, scenario="burst")
    (entrant,) = read_total("sample")
    tags = entrant.profiles["route"].tags
    assert tags["burst"] < tags["trap"] and tags["scale"] != tags["trap"]
    assert entrant.profiles["twin"].tags["burst"] is None and entrant.tag("burst") is None
    assert is_close(entrant.tag("scale"), (tags["scale"] + entrant.profiles["twin"].tags["scale"]) / 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nrout = 'x'\n", "did you mean 'route'"),
        ("[a]\nroute = 3\n", "no table of entries"),
        ("a = 3\n", "no table of entries"),
        ("[a\n", "unreadable"),
        ("[a]\nroute = 'x'\n", "has no entry 'x' on route"),
    ],
)
def test_a_wrong_table_of_entrants_is_refused(home, text, message):
    home.mkdir()
    (home / "entrants.toml").write_text(text, encoding="utf-8")
    with pytest.raises(EdgeBenchError, match=message):
        read_total("sample")


def test_its_files_hold_the_same_figures_and_are_inert(home):
    for track in TRACKS:
        enter(home, track, "a", 0.5)
    entrants = read_total("sample")
    paths = write_total(entrants, "sample")
    (row,) = csv.DictReader(io.StringIO(paths[0].read_text(encoding="utf-8")))
    (record,) = total_records(entrants)
    assert float(row["total"]) == record["total"] and row["burst"] == ""
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    page = paths[1].read_text(encoding="utf-8")
    assert f"| 1 | a | {record['total']:.3f} |" in page and "radar" not in page
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_total(read_total("sample"), "sample")] == before


def test_the_radar_plot_is_drawn_and_shown(home):
    pytest.importorskip("matplotlib")
    for track in TRACKS:
        enter(home, track, "a", 0.5)
        enter(home, track, "b", 0.05)
    entrants = read_total("sample")
    target = home / "total" / "sample" / "radar.png"
    draw_radar(entrants, target)
    assert target.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and target.stat().st_size > 10_000
    assert "](radar.png)" in write_total(entrants, "sample")[1].read_text(encoding="utf-8")


def test_results_of_another_minor_version_share_no_table(home):
    for track in TRACKS:
        enter(home, track, "now", 0.5)
        enter(home, track, "old", 0.9, version="0.0.9")
        enter(home, track, "patch", 0.4, version=f"{__version__.rsplit('.', 1)[0]}.99")
    enter(home, "route", "now", 0.9, "burst", version="0.0.9")
    entrants = read_total("sample")
    assert [(row.rank, row.name) for row in entrants] == [(1, "now"), (2, "patch")]
    assert entrants[0].tag("burst") is None


def test_no_entrants_without_boards(home):
    assert entrant_names("sample") == {} and read_total("sample") == []


def test_the_tags_say_what_is_so_of_the_regions(regions):
    by_name = {tag.name: tag for tag in TAGS}
    assert list(by_name) == ["trap", "burst", "failure", "scale", "heterogeneity", "transfer"]
    assert {tag.scenario for tag in TAGS} == set(TAGGED_SCENARIOS) <= set(SCENARIOS)
    nodes = {name: region.nodes for name, region in regions.items()}
    assert by_name["scale"].regions == (max(REGIONS, key=lambda name: len(nodes[name])),)
    assert len(nodes["s3"]) == 101
    spread = {name: table["compute"].std() / table["compute"].mean() for name, table in nodes.items()}
    assert by_name["heterogeneity"].regions == (max(spread, key=spread.get),)
    assert by_name["transfer"].regions == (UNSEEN,)
