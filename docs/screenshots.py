"""The pictures of docs/site.md: pages of the site in headless Chromium, light, dark and on a phone.

    edgebench leaderboard --html site
    python docs/screenshots.py site

Needs playwright (of edgebench[dev]), Chromium at /usr/bin/chromium or as CHROMIUM names it, and pillow.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, sync_playwright

TARGET: Final = Path(__file__).with_name("images")
COLOURS: Final = 128
"""Of a picture's palette; keeps each below 200 KB."""
WIDE, PHONE = {"width": 1180, "height": 900}, {"width": 390, "height": 844}
SHOTS: Final = (
    ("site-index", "index.html", WIDE, "light"),
    ("site-board", "board/route_sample_trap.html", WIDE, "light"),
    ("site-board-dark", "board/route_sample_trap.html", WIDE, "dark"),
    ("site-cross-domain", "cross-domain/sample.html", WIDE, "light"),
    ("site-agent", "agent/route_sample_tuned.html", WIDE, "light"),
    ("site-agent-dark", "agent/route_sample_tuned.html", WIDE, "dark"),
    ("site-region", "region/sample_s1.html", WIDE, "light"),
    ("site-region-dark", "region/sample_s1.html", WIDE, "dark"),
    ("site-compare", "compare/route_sample_trap.html#a=lookahead&b=greedy-estimate", WIDE, "light"),
    ("site-compare-dark", "compare/route_sample_trap.html#a=lookahead&b=greedy-estimate", WIDE, "dark"),
    ("site-phone", "board/route_sample_trap.html", PHONE, "light"),
)


def shoot(page: Page, address: str, path: Path) -> None:
    """One picture of what is seen without scrolling."""
    page.goto(address)
    if "/region/" in address:
        page.wait_for_selector("#map[data-drawn]")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main(site: Path, target: Path = TARGET) -> None:
    """All pictures of the site in a folder."""
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium)
        for name, place, size, scheme in SHOTS:
            page = browser.new_page(viewport=size, color_scheme=scheme)
            shoot(page, f"{site.resolve().as_uri()}/{place}", target / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(Path, sys.argv[2:3]))
