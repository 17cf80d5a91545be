"""The main menu on a telephone: one row, opened and left by keyboard, and without a script."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Running
from tests.e2e.test_the_main_job import sign_in

ROOMS = ["Collections", "Searches", "Exhibits", "Upload", "Jobs", "Review", "People", "System"]


def test_an_admin_s_eight_rooms_are_one_row_on_a_telephone_and_open_by_keyboard_without_a_script(
    page: Page, running: Running
) -> None:
    sign_in(page, "odo")
    page.goto("/jobs/")
    expect(page.get_by_role("button", name="Menu")).to_be_hidden()  # wide: they stand there
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(
        base_url=running.url,
        java_script_enabled=False,
        viewport={"width": 390, "height": 844},
        storage_state=page.context.storage_state(),
    )
    phone = context.new_page()
    phone.goto("/jobs/")
    assert (box := phone.locator(".masthead").bounding_box()) is not None
    assert box["height"] < 65
    rooms = phone.get_by_role("navigation", name="Main").get_by_role("link")
    expect(rooms).to_have_count(0)
    phone.get_by_role("button", name="Menu").press("Enter")
    expect(rooms).to_have_text(ROOMS)
    expect(phone.get_by_role("button", name="Close")).to_be_focused()
    phone.set_viewport_size(
        {"width": 844, "height": 390}
    )  # turned while it is open: still the menu, not a stray box
    expect(rooms).to_have_text(ROOMS)
    expect(phone.get_by_role("button", name="Close")).to_be_visible()
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.keyboard.press("Escape")
    expect(rooms).to_have_count(0)
    expect(phone.get_by_role("button", name="Menu")).to_be_focused()
    phone.keyboard.press("Enter")
    phone.get_by_role("link", name="People").press("Enter")
    expect(phone).to_have_url(f"{running.url}/accounts/people/")
    context.close()
