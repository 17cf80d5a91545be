"""The viewers by keyboard: each mode, the loupe, the address, full screen; and a console without complaints."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Running
from tests.e2e.test_mirador import ITEM
from tests.e2e.test_the_main_job import is_problem, sign_in

pytestmark = pytest.mark.timeout(180)
# A derivative that differs from its source, so that modes can be told apart.
PAIR = ITEM.replace(
    "made = factories.derivative(master)",
    """
from archive.catalogue import services
from tests.archive.iiif.test_image_api import encoded
made = services.add_derivative(
    master,
    services.NewDerivative(file=factories.stored(encoded(255 - values)), width=700, height=900, bands=3, bits=8,
                           report={"changed_share": 1.0, "psnr": 9.0, "ssim": 0.1}, technical={"mime": "image/tiff"}),
    recipe=factories.recipe(), by=None, agents={})
""",
)


@pytest.fixture(scope="module")
def pair(running: Running) -> tuple[str, str, str]:
    """Item, master and published derivative, with their pyramids wanted."""
    made = running.manage("shell", "-v0", "-c", PAIR)
    assert made.returncode == 0, made.stderr
    item, master, derivative = made.stdout.split("ITEM", 1)[1].split()
    return item, master, derivative


@pytest.fixture(autouse=True)
def _no_complaints(page: Page) -> Iterator[None]:
    problems: list[str] = []
    page.on(
        "console", lambda said: problems.append(f"{said.text} {said.location}") if is_problem(said) else None
    )
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield
    assert not problems


def opened(page: Page, derivative: str, hash_: str = "") -> None:
    page.goto(f"/compare/{derivative}/{hash_}")
    expect(page.locator("image-compare[data-ready]")).to_be_attached(timeout=60_000)
    page.locator("image-compare .stage .canvas [role=img]").first.focus()
    page.wait_for_function("document.querySelector('image-compare').viewer.world.getItemCount() >= 2")


def test_the_keys_work_before_anybody_clicked_into_the_picture(
    page: Page, pair: tuple[str, str, str]
) -> None:
    page.goto(f"/compare/{pair[2]}/")
    expect(page.locator("image-compare[data-ready]")).to_be_attached(timeout=60_000)
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Side by side", pressed=True)).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Loupe", pressed=True)).to_be_visible()


def opacities(page: Page) -> list[float]:
    found: list[float] = page.evaluate(
        """() => { const { world } = document.querySelector("image-compare").viewer;
                   return [0, 1, 2].map((n) => world.getItemAt(n)?.getOpacity()); }"""
    )
    return found


def test_each_mode_is_reached_by_its_key_and_shows_what_it_says(
    page: Page, pair: tuple[str, str, str]
) -> None:
    opened(page, pair[2])
    page.wait_for_function("document.querySelector('image-compare').viewer.world.getItemCount() === 3")
    for key, name, expected in [
        ("d", "Difference", [0, 0, 1]), ("1", "Original scan", [1, 1, 0]), ("2", "AI restoration", [0, 1, 0]),
        ("s", "Side by side", [1, 0, 0]), ("c", "Curtain", [1, 1, 0]),
    ]:  # fmt: skip
        page.keyboard.press(key)
        expect(page.get_by_role("button", name=re.compile(f"^{name}"), pressed=True)).to_be_visible()
        found = opacities(page)
        if key == "1":
            found[1] = 1 if found[1] in (0, 1) else found[1]
        assert found == expected, name
        assert (
            page.locator(".stage .sign:visible", has_text="AI").count() == (0 if key == "1" else 1)
            or key == "d"
        )
    expect(page).to_have_url(re.compile(rf"/compare/{pair[2]}/(#xywh=[-0-9,]+)?$"))


def test_the_curtain_moves_by_arrow_and_by_its_handle(page: Page, pair: tuple[str, str, str]) -> None:
    opened(page, pair[2])
    clip = "document.querySelector('image-compare').viewer.world.getItemAt(1).getClip().x"
    page.wait_for_function(f"{clip} > 0")
    before = page.evaluate(clip)
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(clip) > before
    expect(page).to_have_url(re.compile("at=60"))
    box = page.locator(".divider").bounding_box()
    stage = page.locator(".stage").bounding_box()
    assert box
    assert stage
    page.mouse.move(box["x"] + 1, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.25, box["y"] + 100)
    page.mouse.up()
    assert page.get_by_role("slider", name="Curtain").input_value() == "25"
    expect(page).to_have_url(re.compile("at=25"))


def test_blink_swaps_by_itself_but_for_who_asked_for_calm(page: Page, pair: tuple[str, str, str]) -> None:
    opened(page, pair[2])
    page.keyboard.press("b")
    expect(page.locator(".stage[data-mode=left]")).to_be_attached()
    expect(page.locator(".stage[data-mode=right]")).to_be_attached(timeout=4000)
    page.emulate_media(reduced_motion="reduce")
    opened(page, pair[2], "#mode=blink")
    page.wait_for_timeout(1900)
    expect(page.locator(".stage[data-mode=left]")).to_be_attached()
    page.keyboard.press("Space")
    expect(page.locator(".stage[data-mode=right]")).to_be_attached()


def test_the_loupe_shows_both_pictures_at_one_to_one(page: Page, pair: tuple[str, str, str]) -> None:
    opened(page, pair[2])
    page.keyboard.press("l")
    expect(page.locator(".loupe .pane")).to_have_count(2)
    expect(page.locator(".loupe .sign", has_text="AI")).to_be_visible()
    page.wait_for_function(
        """() => document.querySelector("image-compare").loupe.panes.every((pane) => {
            const item = pane.world.getItemAt(0);
            return item && Math.abs(item.viewportToImageZoom(pane.viewport.getZoom(true)) - 1) < 0.01; })"""
    )
    before = page.locator(".loupe").bounding_box()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    assert page.locator(".loupe").bounding_box() != before
    page.keyboard.press("l")
    expect(page.locator(".loupe")).to_be_hidden()


def test_the_address_brings_back_region_rotation_and_mode(page: Page, pair: tuple[str, str, str]) -> None:
    opened(page, pair[2], "#mode=split&rotation=90&xywh=100,200,300,300")
    expect(page.locator(".stage.split")).to_be_attached()
    view = page.evaluate(
        """() => { const { viewer } = document.querySelector("image-compare");
                   return { rotation: viewer.viewport.getRotation(),
                            closer: viewer.viewport.getZoom() > viewer.viewport.getHomeZoom() }; }"""
    )
    assert view["rotation"] == 90
    assert view["closer"]
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_full_screen_keeps_badge_and_tools_and_the_page_fits_a_phone(
    page: Page, pair: tuple[str, str, str]
) -> None:
    opened(page, pair[2])
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement?.localName === 'image-compare'")
    expect(page.locator("image-compare:fullscreen .sign.right")).to_be_visible()
    expect(page.locator("image-compare:fullscreen .tools")).to_be_visible()
    page.keyboard.press("f")
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, pair[2])
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    expect(page.locator(".sign.right")).to_be_in_viewport()


def test_the_item_viewer_by_keyboard(page: Page, pair: tuple[str, str, str]) -> None:
    page.goto(f"/versions/{pair[2]}/")
    canvas = page.locator("image-viewer [role=img]").first
    canvas.wait_for(timeout=60_000)
    canvas.focus()
    page.wait_for_function("document.querySelector('image-viewer').viewer.world.getItemCount() === 1")
    page.keyboard.press("1")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile(r"#rotation=90"), timeout=5000)
    page.keyboard.press("l")
    expect(page.locator("image-viewer .loupe .pane")).to_have_count(1)
    expect(page.locator("image-viewer .sign.left")).to_contain_text("AI restoration")
    expect(page.get_by_text("not the original").first).to_be_visible()


def test_a_curator_goes_from_draft_to_draft_and_decides_with_two_keys(page: Page, running: Running) -> None:
    draft = PAIR.replace("factories.publish(made)", "")
    drafts = running.manage("shell", "-v0", "-c", draft + draft)
    assert drafts.returncode == 0, drafts.stderr
    first = drafts.stdout.split("ITEM")[1].split()[2]
    second = drafts.stdout.split("ITEM")[2].split()[2]
    sign_in(page, "odo")
    opened(page, first)
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(second))
    opened(page, first)
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Approve")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(second))
