"""Two people judge a trial blind, by keyboard alone; nobody is told which is which until they have finished."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Running
from tests.e2e.test_the_main_job import is_problem, sign_in

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).resolve().parents[2]
SCANS = 6

MAKE = f"""
from archive.accounts.models import Membership, User
from archive.catalogue import services
from archive.catalogue.models import Collection
from archive.iiif.services import want
from tests.archive import factories
from tests.archive.iiif.test_image_api import encoded
place = services.create_collection("blind", title="Blind", by=None, access="private",
    parent=Collection.objects.get(ref="portraits"))
cai = User.objects.get(username="cai")
Membership.objects.get_or_create(user=cai, collection=place, defaults={{"role": "curator"}})
recipes = {{"strong": factories.recipe(), "mild": factories.recipe(strength="0.4")}}
made = []
for n in range({SCANS}):
    values = factories.pixels(300, 400, seed=100 + n)
    master = factories.master_of(place, values, title=f"Photograph {{n + 1}}")
    made.append(master.pk)
    for (name, recipe), pixels in zip(recipes.items(), (255 - values, values // 2), strict=True):
        made.append(services.add_derivative(master, services.NewDerivative(
            file=factories.stored(encoded(pixels)), width=400, height=300, bands=3, bits=8,
            report={{"changed_share": 0.2, "psnr": 40.0, "ssim": 0.99}},
            technical={{"mime": "image/tiff"}}), recipe=recipe, by=None, agents={{}}).pk)
want(made)
"""
SIDES = """() => {
  const { left, right } = document.querySelector(".pair.current image-compare").dataset;
  return [left, right];
}"""


@pytest.fixture(scope="module")
def scans(running: Running) -> None:
    made = running.manage("shell", "-v0", "-c", MAKE)
    assert made.returncode == 0, made.stderr


@pytest.fixture(autouse=True)
def _no_complaints(page: Page) -> Iterator[None]:
    problems: list[str] = []
    page.on(
        "console", lambda said: problems.append(f"{said.text} {said.location}") if is_problem(said) else None
    )
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield
    assert not problems


def without_obstacles(page: Page) -> None:
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(axe)
        found = page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        assert [v["id"] for v in found["violations"]] == [], (page.url, scheme)
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, page.url


def judge(page: Page, keys: str) -> None:
    """One key a scan; the picture is looked at before each."""
    for number, key in enumerate(keys, start=1):
        expect(page.locator(".tally")).to_have_text(f"{number} of {SCANS}")
        expect(page.locator(".pair.current image-compare[data-ready] .stage")).to_be_visible(timeout=60_000)
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="All judged")).to_be_visible()


def test_two_people_judge_by_keyboard_and_see_what_came_out(
    page: Page, running: Running, scans: None
) -> None:
    sign_in(page, "cai")
    page.goto("/review/")
    page.get_by_role("link", name="Trials").click()
    page.get_by_role("link", name="New trial").click()
    page.get_by_label("Collection, with all below it").select_option(label="Blind")
    page.get_by_role("button", name="Show its recipes").click()
    page.get_by_label("Side A").select_option(label=f"restore 9.9.9, with tone · {SCANS} scans")
    page.get_by_label("Side B").select_option(label=f"restore 9.9.9, 40 %, with tone · {SCANS} scans")
    without_obstacles(page)
    page.get_by_role("button", name="Make the trial").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which is the better restoration?")
    trial = page.url
    without_obstacles(page)
    page.get_by_role("main").get_by_role("link", name="Judge").click()

    stage = page.locator(".pair.current image-compare[data-ready] .stage")
    expect(stage).to_be_visible(timeout=60_000)
    expect(stage).to_have_attribute("data-mode", "split")
    for side in ("left", "right"):
        expect(stage.locator(f".sign.{side}")).to_have_text("✳ AI restoration")
    # Looking chooses nothing.
    for key, mode in [("1", "left"), ("2", "right"), ("b", "blink"), ("c", "curtain"), ("s", "split")]:
        page.keyboard.press(key)
        if mode != "blink":
            expect(stage).to_have_attribute("data-mode", mode)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("this chooses nothing")
    page.keyboard.press("Escape")
    expect(page.locator(".tally")).to_have_text(f"1 of {SCANS}")
    without_obstacles(page)

    # A wrong key, undone: the same pair, the same sides.
    current = page.locator(".pair.current")
    first, title = page.evaluate(SIDES), current.locator(".which").inner_text()
    page.keyboard.press("c")
    page.keyboard.press("q")
    expect(page.locator(".tally")).to_have_text(f"2 of {SCANS}")
    expect(stage).to_have_attribute("data-mode", "curtain", timeout=30_000)  # looked at as the last one was
    page.keyboard.press("z")
    expect(page.locator(".tally")).to_have_text(f"1 of {SCANS}")
    expect(current.locator(".which")).to_have_text(title)
    assert page.evaluate(SIDES) == first
    page.goto(page.url)
    assert page.evaluate(SIDES) == first

    judge(page, "qqqqwe")
    without_obstacles(page)
    page.keyboard.press("z")  # also the last one
    expect(page.locator(".pair.current image-compare[data-ready] .stage")).to_be_visible(timeout=60_000)
    page.keyboard.press("q")
    expect(page.get_by_role("button", name="Finish and see the result")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".finding")).to_contain_text("One person preferred")
    expect(page.get_by_role("row", name="Cai")).to_contain_text("5 of 5")  # chose the left

    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "odo")
    page.goto(trial + "judge/")
    judge(page, "eeeeee")
    page.goto(trial)
    expect(page.locator(".finding")).to_have_count(0)
    page.goto(trial + "judge/")
    page.get_by_role("button", name="Finish and see the result").press("Enter")
    expect(page.locator(".finding")).to_contain_text(f"of 11 votes on {SCANS} scans")
    without_obstacles(page)
    page.set_viewport_size({"width": 390, "height": 844})
    without_obstacles(page)
    with page.expect_download() as told:
        page.get_by_role("link", name="All votes as CSV").click()
    assert len(Path(told.value.path()).read_text().splitlines()) == 1 + 2 * SCANS
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Close the trial").click()
    expect(page.get_by_text("The trial is closed.")).to_be_visible()
    page.goto("/review/trials/")
    without_obstacles(page)


def test_without_a_script_three_buttons_judge(page: Page, running: Running, scans: None) -> None:
    sign_in(page, "cai")
    page.goto("/review/trials/new/?collection=blind")
    page.get_by_label("Side B").select_option(label="The scan, untouched")
    page.get_by_label("Question").fill("Restored or not?")
    page.get_by_role("button", name="Make the trial").click()
    address = page.url + "judge/"
    page.goto(address)
    expect(page.get_by_text("One of the two is the scan itself.")).to_be_visible()
    stage = page.locator(".pair.current image-compare[data-ready] .stage")
    expect(stage).to_be_visible(timeout=60_000)
    for side in ("left", "right"):
        expect(stage.locator(f".sign.{side}")).to_have_text("Scan or restoration")
    expect(page.locator("blind-trial .badge.ai")).to_have_count(0)

    browser = page.context.browser
    assert browser is not None
    calm = browser.new_context(
        base_url=running.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = calm.new_page()
    plain.goto(address)
    for number, name in enumerate(["Left is better", "No difference", "Right is better"], start=1):
        expect(plain.get_by_text(f"{number} of {SCANS}")).to_be_visible()
        plain.get_by_role("button", name=name).click()
    expect(plain.get_by_text(f"4 of {SCANS}")).to_be_visible()
    plain.get_by_role("button", name="Undo the last").click()
    expect(plain.get_by_text(f"3 of {SCANS}")).to_be_visible()
    calm.close()
