"""Weight of the site's pages and their time to load in headless Chromium, with many rows on one board.

The rows are one real entry of the board, its episodes moved up and down a little, in a temporary folder: nothing of it
is kept. Loading is from a file, to the end of the load event, and for sorting from the click to the next frame drawn.

Run: python benchmarks/site_load.py [ROWS]
"""

from __future__ import annotations

import csv
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from common import machine
from playwright.sync_api import Browser, sync_playwright

from edgebench.harness.journal import columns_of, read_rows
from edgebench.paths import leaderboards_dir
from edgebench.registry import TRACKS
from edgebench.site.build import write_site
from edgebench.site.links import agent_page, board_page, compare_page

ROWS, ROUNDS, STEP = 200, 9, 0.002
TRACK, SCENARIO, ENTRY, SLUG = "route", "trap", "tuned", "route_sample_trap"
SORT = """async () => {
    const begun = performance.now();
    document.querySelectorAll('#rows th button')[3].click();
    await new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)));
    return performance.now() - begun;
}"""


def main(rows: int) -> None:
    """Print bytes and milliseconds of the pages of a board of `rows` rows."""
    print(machine())
    source = leaderboards_dir(TRACK, "sample") / SCENARIO / ENTRY
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEBENCH_HOME"] = home
        target = leaderboards_dir(TRACK, "sample") / SCENARIO
        for number in range(rows):
            copy(source, target / f"row-{number:03}", (number - rows / 2) * STEP)
        begun = time.perf_counter()
        written = write_site(Path(home) / "site", lambda *_: None, lambda _: None)
        print(f"\n{rows} rows: {written.pages} pages, {written.bytes / 1e6:.1f} MB, rendered in "
              f"{time.perf_counter() - begun:.0f} s")  # fmt: skip
        measure(written.folder)


def copy(source: Path, target: Path, moved: float) -> None:
    """The entry with its primary metric moved, kept within its range."""
    target.mkdir(parents=True)
    for name in ("manifest.json", "summary.json"):
        (target / name).write_bytes((source / name).read_bytes())
    track = TRACKS[TRACK]
    lines = read_rows(source / "episodes.csv", track)
    with (target / "episodes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns_of(track), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            row | {track.metric: repr(min(max(float(row[track.metric]) + moved, 0.0), 1.0))} for row in lines
        )


def measure(site: Path) -> None:
    """Print a line a page: its bytes with all it loads, and medians of its times."""
    pages = {
        "board": board_page(SLUG), "comparison": compare_page(SLUG), "agent": agent_page(TRACK, "sample", "row-000"),
        "index": "index.html",
    }  # fmt: skip
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
        print(f"\nChromium {browser.version}, medians of {ROUNDS} loads from a file, a new page each")
        print(f"{'page':<12} {'KB':>8} {'ms to load':>11} {'ms to sort':>11}")
        for name, place in pages.items():
            weight, load, sort = loads(browser, site, place)
            print(f"{name:<12} {weight / 1e3:>8.1f} {load:>11.0f} {'' if sort is None else f'{sort:.0f}':>11}")
        browser.close()


def loads(browser: Browser, site: Path, place: str) -> tuple[int, float, float | None]:
    """Bytes of a page and of what it asks for; ms to the end of its load event; ms to sort its table, if it has one."""
    times, sorts, weight = [], [], 0
    for _ in range(ROUNDS):
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(f"{site.as_uri()}/{place}", wait_until="load")
        times.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        if page.query_selector("#rows"):
            sorts.append(page.evaluate(SORT))
        files = {site / url.removeprefix(f"{site.as_uri()}/") for url in asked if url.startswith("file:")}
        weight = sum(path.stat().st_size for path in files)
        page.close()
    return weight, statistics.median(times), statistics.median(sorts) if sorts else None


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
