"""Cai composes an exhibit without the mouse, and a visitor walks along it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Running
from tests.e2e.test_the_main_job import sign_in

pytestmark = pytest.mark.timeout(240)
ROOT = Path(__file__).resolve().parents[2]
HUNG = """
from tests.archive import factories
from archive.iiif.services import want
there = factories.collection("wall")
made = []
for n in range(3):
    master = factories.master_of(there, factories.pixels(300, 400, seed=n), title=f"Wall picture {n + 1}")
    derivative = factories.derivative(master)
    factories.publish(derivative)
    made += [master.pk, derivative.pk]
want(made)
"""


@pytest.fixture(scope="module")
def pictures(running: Running) -> None:
    made = running.manage("shell", "-v0", "-c", HUNG)
    assert made.returncode == 0, made.stderr


def test_an_exhibit_is_composed_published_and_visited_by_keyboard(
    page: Page, running: Running, pictures: None
) -> None:
    sign_in(page, "cai")
    page.goto("/exhibits/")
    page.get_by_label("Title of a new exhibit").focus()
    page.keyboard.type("Three walls")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Three walls")
    page.get_by_role("searchbox", name="Find pictures").focus()
    page.keyboard.type("wall picture")
    expect(page.locator("[data-found] .find")).to_have_count(3)
    entries = page.locator(".entries .entry")
    for n in range(3):
        page.locator("[data-found] .find").nth(n).focus()
        page.keyboard.press("Enter")
        expect(entries).to_have_count(n + 1)
    titles = [text.split(" · ")[0] for text in entries.locator(".from").all_inner_texts()]
    entries.nth(2).locator(".grip").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    expect(page.locator("[data-told]")).to_contain_text("place 1 of 3")
    page.keyboard.press("Tab")
    page.keyboard.type("First of all")
    page.keyboard.press("Tab")
    page.keyboard.type("A caption, typed.")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-told]")).to_have_text("Saved")
    page.get_by_role("button", name="Save and publish").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The exhibit is open to everybody.")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/exhibits/three-walls/")
    hung = page.locator(".hung")
    expect(hung).to_have_count(3)
    expect(hung.nth(0)).to_contain_text("First of all")
    expect(hung.nth(0)).to_contain_text(titles[2])
    expect(page.locator(".hung .badge.ai")).to_have_count(3)
    page.keyboard.press("j")
    expect(hung.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(hung.nth(1)).to_be_focused()
    page.keyboard.press("o")
    expect(hung.nth(1).locator("figcaption .badge")).to_have_text("The original scan")
    expect(hung.nth(1).locator(".beneath")).to_be_visible()
    page.keyboard.press("o")
    expect(hung.nth(1).locator("figcaption .badge")).to_contain_text("AI restoration")


def test_the_pages_of_exhibits_hold_no_obstacle(page: Page, running: Running, pictures: None) -> None:
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
    sign_in(page, "cai")
    for dark in (False, True):
        page.emulate_media(color_scheme="dark" if dark else "light")
        for address in ("/exhibits/", "/exhibits/three-walls/", "/exhibits/three-walls/edit/", "/upload/"):
            page.goto(address, wait_until="networkidle")
            page.evaluate(axe)
            found = page.evaluate(
                "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
            )
            assert [violation["id"] for violation in found["violations"]] == [], (address, dark)
