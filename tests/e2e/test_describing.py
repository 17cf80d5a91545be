"""Finding by years, describing in a table: by mouse where people drag, by keyboard where they type for hours."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.conftest import ROOT, Running
from tests.e2e.test_the_main_job import sign_in

pytestmark = pytest.mark.timeout(240)
MADE = """
from archive.accounts.models import Membership, User
from archive.catalogue import services
ada = User.objects.get(username="ada")
place = services.create_collection("dated", title="Dated", by=None, access="public",
    description={"spatial": "Shanghai", "creator": "A studio on the Bund"})
Membership.objects.create(user=ada, collection=place, role="archivist")
for year in range(1900, 1950):
    services.create_item(place, description={"title": f"Street in {year}"}, by=None, date=str(year))
typed = services.create_collection("typed", title="Typed", by=None, access="public", parent=place)
for n in range(6):
    services.create_item(typed, description={"title": f"Plate {n}"}, by=None)
"""


@pytest.fixture(scope="module")
def dated(running: Running) -> None:
    made = running.manage("shell", "-v0", "-c", MADE)
    assert made.returncode == 0, made.stderr


def axe(page: Page) -> None:
    page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []


def test_years_are_dragged_over_and_moved_by_keyboard(page: Page, dated: None) -> None:
    page.goto("/?in=dated&sort=title")
    total = page.get_by_role("status").filter(has_text="items")
    expect(total).to_contain_text("56 items")
    box = page.locator("svg.years").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.21, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.move(box["x"] + box["width"] * 0.39, middle)
    expect(page.locator("date-range output")).to_contain_text("19")
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=19\d\d&to=19\d\d"))
    first, last = (int(year) for year in re.findall(r"(?:from|to)=(\d+)", page.url))
    assert (first, last) == (1910, 1919)
    expect(total).to_contain_text("10 items")
    expect(page.get_by_label("Chosen")).to_contain_text("1910–1919")
    axe(page)

    # the same by keyboard: the right end three bars to the left
    page.get_by_label("Last years shown").focus()
    for _press in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"to=1916"))
    expect(total).to_contain_text("7 items")
    page.get_by_role("link", name="All years").press("Enter")
    expect(total).to_contain_text("56 items")


def test_cells_of_a_spreadsheet_are_pasted_filled_down_kept_and_undone(page: Page, dated: None) -> None:
    sign_in(page, "ada")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/collections/typed/table/")
    cells = page.locator("table.cells tbody tr")
    titles = page.locator("td.title input:not([type=hidden])")
    page.evaluate(
        "navigator.clipboard.writeText('The Bund\\tCurtis, E.\\t约1920年\\r\\nHarbour\\t\\t1931-07\\r\\n')"
    )
    titles.nth(0).focus()
    page.keyboard.press("Control+V")
    expect(titles.nth(0)).to_have_value("The Bund")
    expect(titles.nth(1)).to_have_value("Harbour")
    creators = page.locator("td.creator input:not([type=hidden])")
    dates = page.locator("td.date input:not([type=hidden])")
    expect(creators.nth(0)).to_have_value("Curtis, E.")
    expect(dates.nth(1)).to_have_value("1931-07")
    expect(titles.nth(2)).to_have_value(re.compile("Plate"))  # what was not pasted over stays

    creators.nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(creators.nth(1)).to_be_focused()
    page.keyboard.press("Control+d")
    expect(creators.nth(1)).to_have_value("Curtis, E.")
    expect(creators.nth(2)).to_be_focused()
    page.keyboard.type("Unknown")
    page.keyboard.press("Control+Shift+D")
    expect(creators.nth(5)).to_have_value("Unknown")
    expect(page.locator(".bulk output")).to_have_text("10 cells changed")
    axe(page)
    page.get_by_role("button", name="Keep").press("Enter")
    expect(page.get_by_text("6 items were changed.")).to_be_visible()
    expect(titles.nth(0)).to_have_value("The Bund")
    expect(cells).to_have_count(6)

    page.on("dialog", lambda question: question.accept())
    page.goto("/collections/typed/sheets/")
    page.get_by_role("button", name="Undo").first.press("Enter")
    expect(page.get_by_text("6 items are as they were.")).to_be_visible()
    page.goto("/collections/typed/table/")
    expect(creators.nth(5)).to_have_value("")


def scan(name: str, shade: int) -> FilePayload:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, 90, 60)).save(out, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": out.getvalue()}


def test_a_box_is_described_after_its_upload_without_the_mouse(
    page: Page, running: Running, dated: None
) -> None:
    sign_in(page, "ada")
    page.goto("/upload/?collection=dated")
    page.locator("#files").set_input_files([scan(f"box 7 plate {n}.jpg", 20 * n) for n in (10, 2, 1)])
    link = page.get_by_role("link", name="Describe these 3")
    expect(link).to_be_visible(timeout=60_000)
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Describe 3 uploads")).to_be_visible()
    files = page.locator("th[scope=row]")
    expect(files).to_have_text(["box 7 plate 1.jpg", "box 7 plate 2.jpg", "box 7 plate 10.jpg"])
    expect(page.get_by_label("Place", exact=True)).to_have_value(
        "Shanghai"
    )  # as the collection says of itself
    axe(page)

    page.get_by_label("Creator", exact=True).focus()
    expect(page.get_by_label("Creator", exact=True)).to_have_value("A studio on the Bund")
    page.keyboard.press("Tab")
    page.keyboard.type("1920s")
    titles = page.locator("td.title input:not([type=hidden])")
    titles.nth(0).focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("The Bund from the river")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+d")
    expect(titles.nth(1)).to_have_value("The Bund from the river")
    page.get_by_label("Date", exact=True).focus()
    page.keyboard.press("Enter")  # gives all of them what they share, and keeps what was typed in the table
    expect(page.get_by_text("3 items were changed.")).to_be_visible()
    expect(titles.nth(1)).to_have_value("The Bund from the river")
    dates = page.locator("td.date input:not([type=hidden])")
    for row in range(3):
        expect(dates.nth(row)).to_have_value("1920s")
    expect(page.locator("td.creator input:not([type=hidden])").nth(2)).to_have_value("A studio on the Bund")
