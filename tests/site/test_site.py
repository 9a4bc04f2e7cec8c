"""The site's files: well-formed, closed in themselves, equal twice, inert whatever strangers wrote."""

import csv
import re
from urllib.parse import unquote, urlsplit

import pytest
from site_toy import ADDRESS, HOSTILE, LEDGER, embedded, parsed, render_into

from edgebench.errors import EdgeBenchError
from edgebench.site import build, extra
from edgebench.site import pages as pages_module
from edgebench.site.inert import script_json, visible_lines, web_address
from edgebench.site.templating import render
from edgebench.site.words import as_html
from edgebench.site.world import World


@pytest.fixture(scope="module")
def pages(site):
    return {path: parsed(path) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_there_and_well_formed(site, written, pages):
    names = [path.relative_to(site).as_posix() for path in pages]
    assert {"index.html", "ledger.html", "region/sample_s1.html", "agent/route_sample_hostile.html"} <= set(names)
    assert len(names) == written.pages == 2 + 2 * 2 + 6 + 1 + 1 + 1
    assert written.notes == ["run runs/unfinished: not finished"]
    for path in pages:
        assert path.read_text(encoding="utf-8").startswith("<!doctype html>\n<html lang=")


def test_every_internal_link_leads_somewhere_and_nothing_is_fetched_from_elsewhere(site, pages):
    for path, page in pages.items():
        for tag, name, value in page.leads:
            parts = urlsplit(value)
            if parts.scheme or parts.netloc:
                assert tag == "a" and name == "href" and parts.scheme in ("http", "https"), (path, value)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file() and target.is_relative_to(site), (path, value)
            if parts.fragment and "=" not in parts.fragment:
                assert parts.fragment in pages[target].ids, (path, value)
    for path in (site / "static").glob("*.css"):
        assert not re.search(r"url\(|@import|https?:", path.read_text())
    for path in (site / "static").glob("*.js"):
        if path.name != "plotly.min.js":
            assert not re.search(r"https?:|fetch\(|XMLHttp|import\(|eval\(|innerHTML|document\.write", path.read_text())


def test_strangers_words_are_shown_and_never_run(site, pages, slug):
    scripts = {"agent": 3, "board": 2, "compare": 4, "region": 5, "run": 3}
    for path, page in pages.items():
        assert page.handlers == [], path
        assert page.scripts == scripts.get(path.parent.name, 2), path
        text = path.read_text(encoding="utf-8")
        (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        assert "default-src 'none'" in policy and "script-src 'self' file:;" in policy
        assert HOSTILE not in text and f'"{ADDRESS}' not in text
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text), path
    agent = (site / "agent" / "route_sample_hostile.html").read_text()
    assert "&lt;script&gt;window.hurt=1" in agent and "\\u202e\\x00\\ud800" in agent
    tables = embedded(agent)
    detail = tables[0]["columns"].index("detail")
    assert HOSTILE in {row[detail] for row in tables[0]["rows"]}


def test_a_ledger_of_strangers_is_shown_and_inert(tmp_path):
    page = pages_module._ledger(World((), {}, {}, (), (), LEDGER))
    path = tmp_path / "ledger.html"
    path.write_text(
        render(page.template, page.place, has_total=False, has_cross_domain=False, has_regions=False, **page.values)
    )
    ledger, found = path.read_text(), parsed(path)
    assert found.scripts == 2 and found.handlers == [] and HOSTILE not in ledger
    outside = {value for tag, _, value in found.leads if tag == "a" and ":" in value}
    assert outside == {"https://a.example", "https://evil.example/z.png"}
    assert not [tag for tag, _, value in found.leads if tag == "img" and ":" in value]
    assert "<td>2026-01-01</td>" in ledger


def test_only_web_addresses_become_links(site):
    run = next((site / "run").glob("b-run_*.html")).read_text()
    assert '<a href="https://a.example/x" rel="noopener noreferrer nofollow">' in run
    for text in ("javascript:alert(1)", "data:text/html,x", "//a.example", "http:", "https://a b", "https://[", 3, None,
                 "https://a.example/\u202e", " https://a.example", "file:///etc/passwd"):  # fmt: skip
        assert web_address(text) is None, text
    assert web_address("https://a.example/?q=1") == "https://a.example/?q=1"


def test_two_renderings_have_equal_bytes(site, at_home, tmp_path):
    again = render_into(tmp_path / "again").folder
    one, other = ({path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
                  for root in (site, again))  # fmt: skip
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


def test_tied_rows_are_grouped_and_a_privileged_one_has_no_rank(site, slug):
    page = (site / "board" / f"{slug}.html").read_text()
    rows = re.findall(r'<tr class="(tie-\w+) \w+".*?class="number rank"[^>]*>([^<]*)<.*?html">([^<]*)</a>', page, re.S)
    assert rows == [
        ("tie-only", "1", "best"), ("tie-first", "2=", "tied-a"), ("tie-last", "2=", "tied-b"),
        ("tie-only", "4", "hostile"), ("tie-only", "5", "low"), ("tie-only", "–", "seer"),
    ]  # fmt: skip
    assert 'class="mark privileged"' in page
    places = re.findall(r'<td class="number" data-value="\d*–?">([0-9 –]+)</td>\s*<td><span class="mark self', page)
    assert places == ["1", "2", "2", "4", "5", "–"]


def test_the_cross_domain_board_ranks_on_the_unseen_region_alone(site, at_home):
    from edgebench.leaderboard.board import read_entry

    page = (site / "cross-domain" / "sample.html").read_text()
    board = at_home / "leaderboards" / "route" / "sample" / "trap"
    rows = re.findall(r'html">([^<]*)</a>.*?data-value="([^"]*)">.*?class="number">(-?[0-9.]+)</td><td><span', page)
    assert [name for name, _, _ in rows] == ["best", "tied-a", "tied-b", "hostile", "low", "seer"]
    for name, score, elsewhere in rows:
        there, home = (read_entry(board / name, name, [region]).summary.total.score.value for region in ("s2", "s1"))
        assert float(score) == pytest.approx(there, abs=1e-8)
        assert float(elsewhere) == pytest.approx(home, abs=1e-3)
    assert "cross-domain/sample.html" in (site / "index.html").read_text()


def test_the_csv_is_that_of_the_leaderboard(site, slug, at_home):
    from edgebench.leaderboard.board import rank, read_board
    from edgebench.leaderboard.page import as_csv

    text = (site / "board" / f"{slug}.csv").read_text()
    (table,) = [table for table in rank(read_board("route", "sample")) if table.conditions.scenario == "trap"]
    assert text == as_csv([table])
    assert {row["name"] for row in csv.DictReader(text.splitlines())} >= {"best", "hostile"}


def test_compared_pairs_are_the_statistics_and_the_episodes(site, slug, at_home):
    from edgebench.harness.statistics import paired_difference, probability_of_improvement
    from edgebench.leaderboard.board import read_entry

    found = embedded((site / "compare" / f"{slug}.html").read_text())
    names = [agent["name"] for agent in found["agents"]]
    assert len(found["pairs"]) == len(names) * (len(names) - 1) // 2
    one, other = names.index("best"), names.index("tied-a")
    pair = found["pairs"][f"{one},{other}"]
    board = at_home / "leaderboards" / "route" / "sample" / "trap"
    scores = [read_entry(board / name, name).scores for name in ("best", "tied-a")]
    truth = paired_difference(*scores)
    assert pair["total"] == pytest.approx([truth.total.value, truth.total.low, truth.total.high], abs=1e-4)
    assert [sum(counts) for counts in pair["counts"]] == [len(scores[0].episodes[name]) for name in ("s1", "s2")]
    assert all(counts[0] == sum(counts) for counts in pair["counts"])
    chance = probability_of_improvement(*scores)
    assert pair["improvement"] == pytest.approx([chance.value, chance.low, chance.high], abs=1e-4)
    page = (site / "board" / f"{slug}.html").read_text()
    rows = re.findall(r'<th scope="row">([^<]*)</th>(.*?)</tr>', page)
    assert [name for name, _ in rows] == ["best", "tied-a", "tied-b", "hostile", "low", "seer"]
    matrix = [re.findall(r">([0-9.–]+)</td>", cells) for _, cells in rows]
    assert matrix[0][:2] == ["–", f"{chance.value:.2f}"] and matrix[1][:3] == [f"{1 - chance.value:.2f}", "–", "0.50"]
    assert found["pairs"][f"{names.index('tied-a')},{names.index('tied-b')}"]["counts"] == [[0, 4, 0], [0, 4, 0]]


def test_the_map_holds_nodes_links_traps_and_cells(site):
    page = (site / "region" / "sample_s1.html").read_text()
    named = {trace.get("name"): trace for trace in embedded(page)["data"] if trace.get("name")}
    assert len(named["nodes"]["x"]) == 25
    assert any(name.startswith("trap links") for name in named) and "links" in named
    (cells,) = [name for name in named if name.startswith("cells: 5,313 on")]
    assert len(named[cells]["x"]) > 1000
    assert "<h2>Where it came from</h2>" in page and "license: cc0" not in page


def test_a_folder_of_others_is_not_overwritten(at_home, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    for content in (None, "{}", "[1]", "no json"):
        if content is not None:
            (mine / build.MARK).write_text(content)
        with pytest.raises(EdgeBenchError, match="no site made here"):
            render_into(mine)
    assert (mine / "thesis.txt").read_text() == "years of work"
    with pytest.raises(EdgeBenchError, match="no site made here"):
        render_into(mine / "thesis.txt")


def test_a_failure_leaves_the_old_site(at_home, site, tmp_path, monkeypatch):
    target = tmp_path / "site"
    target.mkdir()
    (target / build.MARK).write_bytes((site / build.MARK).read_bytes())
    (target / "old.html").write_text("old")
    monkeypatch.setattr(build, "render", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        render_into(target)
    assert (target / "old.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_without_its_libraries_it_says_how_to_install_them(monkeypatch, tmp_path):
    monkeypatch.setattr(extra.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EdgeBenchError, match=r"the site needs jinja2, markdown_it, plotly\n  mend: pip install 'edge"):
        render_into(tmp_path / "site")


def test_what_has_no_shape_is_shown_as_its_escape_and_json_cannot_end_its_script():
    assert visible_lines("a\u202eb\x00\ud800c\n") == "a\\u202eb\\x00\\ud800c\n"
    assert "<" not in script_json({"</script>": ["<!--", "\u2028"]})
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json([float("nan")])


def test_markdown_cannot_carry_html_or_pictures():
    html = as_html("<script>x</script>\n\n![a](https://evil.example/a.png) [b](javascript:x) <https://a.example>")
    assert "<script" not in html and "<img" not in html and "javascript:x" not in re.findall('href="([^"]*)"', html)
