"""The pages in headless Chromium, opened from files: no error, no request, keyboard, phone, dark."""

import os
from pathlib import Path

import pytest

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(not CHROMIUM.is_file(), reason=f"there is no chromium at {CHROMIUM}")
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=str(CHROMIUM))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, site):
    """Open a page of the site; when the test ends there must have been no error and no request but for files."""
    contexts, wrong = [], []

    def request(asked):
        if not asked.url.startswith((f"{site.as_uri()}/", "data:", "blob:")):
            wrong.append(asked.url)

    def opened(place, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", request)
        page.goto(f"{site.as_uri()}/{place}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def places(site):
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


def names(page):
    return page.locator("#rows tbody tr:visible td.who a").all_text_contents()


def sorted_by(page):
    return page.eval_on_selector_all(
        "#rows th[aria-sort]",
        "cells => cells.filter(c => c.ariaSort !== 'none').map(c => [c.innerText.trim(), c.ariaSort])",
    )


def test_every_page_opens_fits_a_phone_and_runs_nothing_of_a_stranger(visit, site):
    for place in places(site):
        page = visit(place, viewport=PHONE)
        if place.startswith("region/"):
            page.wait_for_selector("#map[data-drawn]", timeout=15_000)
        assert page.locator("h1").first.is_visible(), place
        assert page.evaluate("window.hurt") is None, place
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], place


def test_tables_are_sorted_by_keyboard(visit, slug):
    page = visit(f"board/{slug}.html")
    assert names(page) == ["best", "tied-a", "tied-b", "hostile", "low", "seer"]
    heading = page.get_by_role("button", name="score", exact=True)
    heading.focus()
    page.keyboard.press("Enter")
    assert names(page)[0] == "seer" and sorted_by(page) == [["score", "descending"]]
    page.keyboard.press("Space")
    assert names(page)[-1] == "seer" and sorted_by(page) == [["score", "ascending"]]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert names(page) == sorted(names(page)) and sorted_by(page) == [["agent", "ascending"]]
    page.get_by_role("button", name="rank", exact=True).press("Enter")
    assert names(page)[0] == "best" and "unranked" not in (page.get_attribute("#rows", "class") or "")


def test_every_column_sorts_both_ways(visit, slug):
    page = visit(f"board/{slug}.html")
    for number in range(page.locator("#rows th[aria-sort]").count()):
        cell = page.locator("#rows th[aria-sort]").nth(number)
        orders = []
        for _ in range(2):
            cell.locator("button").press("Enter")
            orders.append(cell.get_attribute("aria-sort"))
        assert set(orders) == {"ascending", "descending"}, number
        assert len(names(page)) == 6


def test_rows_are_filtered_by_keyboard(visit, slug):
    page = visit(f"board/{slug}.html")
    page.get_by_label("Name").focus()
    page.keyboard.type("TIED")
    assert names(page) == ["tied-a", "tied-b"]
    assert page.locator("form.filters output").inner_text() == "2 of 6 shown"
    page.get_by_label("Name").fill("")
    page.get_by_label("Kind of agent").select_option("package")
    assert names(page) == ["hostile"]


def test_the_scheme_follows_the_system_until_the_reader_chooses(visit, slug):
    page = visit(f"board/{slug}.html", color_scheme="light")

    def background():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = background()
    page.emulate_media(color_scheme="dark")
    dark = background()
    assert light != dark
    page.locator("#theme").focus()
    page.keyboard.press("Enter")
    assert background() == light
    page.reload()
    assert background() == light


def test_episodes_are_paged_and_filtered(visit):
    page = visit("agent/route_sample_hostile.html")
    rows = page.locator("#episodes tbody tr")
    assert rows.count() == 8
    page.locator("#episodes select[name=status]").select_option("error")
    assert rows.count() == 1 and "window.hurt=1" in rows.first.inner_text()
    page.locator("#episodes select[name=status]").select_option("")
    page.locator("#episodes select[name=region]").select_option("s2")
    assert rows.count() == 4


def test_two_agents_are_compared_in_either_order(visit, slug):
    page = visit(f"compare/{slug}.html#a=best&b=low")
    total = page.locator("#differences tbody tr").first
    assert "best is ahead of low" in page.locator("#verdict").inner_text()
    first = total.locator("td").first.inner_text()
    page.get_by_role("button", name="Exchange A and B").press("Enter")
    assert "best is ahead of low" in page.locator("#verdict").inner_text()
    assert total.locator("td").first.inner_text() == first.replace("+", "−")
    assert page.url.endswith("#a=low&b=best")
    assert page.locator("#squares .field span").count() == 8
    assert "better than one of best with 0.000" in page.locator("#improvement").inner_text()
    page.get_by_label("Agent A").select_option("tied-a")
    page.get_by_label("Agent B").select_option("tied-b")
    assert "cannot be told apart" in page.locator("#verdict").inner_text()
    assert "with 0.500" in page.locator("#improvement").inner_text()
    assert page.locator("#squares .field span.a, #squares .field span.b").count() == 0


def test_a_line_of_the_profile_is_marked_from_its_legend(visit, slug):
    page = visit(f"board/{slug}.html")
    button = page.locator("figure.plot button").first
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert page.locator("figure.marking polyline.marked").count() == 1
