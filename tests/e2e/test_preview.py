"""Before ordering: a look at the scan as the recipe would make it, with dials and marked parts; then the order."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Running
from tests.e2e.test_the_main_job import sign_in

pytestmark = pytest.mark.timeout(300)

HEIGHT, WIDTH = 600, 1400


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Printed in dots 5 px apart, noisy and scratched: there is something to do everywhere."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    tone = 0.55 + 0.2 * np.sin(rows / 23) * np.cos(columns / 37)
    across, down = (2 * np.pi / 5 / 2**0.5 * way for way in (rows + columns, rows - columns))
    dots = 0.5 + 0.25 * (np.cos(across) + np.cos(down))
    picture = np.clip((tone - dots) * 6 + 0.5, 0, 1) * 0.8 + 0.1
    picture += np.random.default_rng(4).normal(0, 0.02, picture.shape)
    picture[:, 200:1200:90] = 0.95
    path = tmp_path_factory.mktemp("preview") / "pale.tif"
    tifffile.imwrite(path, (np.clip(picture, 0, 1) * 65535).astype(np.uint16), photometric="minisblack")
    return path


def next_look(preview: Locator, before: str | None) -> str:
    """Wait until another look than `before` is shown; its id."""
    expect(preview).to_have_attribute("data-shows", re.compile(f"^(?!{before}$).+"), timeout=60_000)
    return preview.get_attribute("data-shows") or ""


def test_ada_looks_before_she_orders_and_protects_a_part(page: Page, running: Running, scan: Path) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    made = running.manage("ingest", str(scan.parent), "--collection", "previewed")
    assert made.returncode == 0, made.stdout + made.stderr
    sign_in(page, "odo")
    source = page.request.get("/api/v1/versions/?collection=previewed&role=master").json()["results"][0]
    page.goto(f"/jobs/new/?version={source['id']}")
    preview = page.locator("recipe-preview")
    shown = next_look(preview, None)
    expect(preview.locator(".badge.ai")).to_contain_text("AI preview, not stored")
    expect(preview.locator(".figures")).to_contain_text("visibly changed")
    assert page.evaluate("document.querySelector('.preview-stage .after').naturalWidth") == 512

    strength = page.get_by_role("slider", name="Strength")
    strength.focus()
    page.keyboard.press("Home")
    shown = next_look(preview, shown)
    expect(preview.locator(".figures")).to_contain_text(re.compile(r"^0\s?% of the pixels"))
    page.keyboard.press("End")
    shown = next_look(preview, shown)

    # Each recipe brings its own dials; what one sets by hand afterwards counts.
    look, bold = (page.get_by_role("slider", name=name) for name in ("Look", "Boldness"))
    page.get_by_role("radio", name="Restore, fresh").check()
    shown = next_look(preview, shown)
    expect(look).to_have_value("100")
    bold.focus()
    page.keyboard.press("End")
    shown = next_look(preview, shown)
    page.get_by_role("radio", name=re.compile("^Restore Takes out")).check()
    shown = next_look(preview, shown)
    expect(look).to_have_value("0")
    expect(bold).to_have_value("0")

    page.get_by_role("button", name="The part that is shown").focus()
    page.keyboard.press("Shift+ArrowLeft")
    shown = next_look(preview, shown)
    stage = preview.locator(".preview-stage")
    stage.focus()
    page.keyboard.down("Space")
    expect(stage).to_have_class(re.compile("original"))
    page.keyboard.up("Space")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("slider", name="Curtain")).to_have_value("55")

    page.get_by_role("radio", name="Everything but the marked parts").check()
    expect(preview.locator(".status")).to_contain_text("Mark a part first")
    page.get_by_role("button", name="Mark this part").click()
    next_look(preview, shown)
    expect(preview.locator(".figures")).to_contain_text(re.compile(r"^0\s?% of the pixels"))
    expect(preview.locator(".marks li")).to_have_count(1)
    page.get_by_role("button", name="Order", exact=True).click()
    expect(page.get_by_text("1 of 1")).to_be_visible(timeout=120_000)

    restored = page.request.get("/api/v1/versions/?collection=previewed&role=restored").json()["results"][0]
    bodies = [page.request.get(f"/api/v1/versions/{row['id']}/file").body() for row in (source, restored)]
    for name, body in zip(("a.tif", "b.tif"), bodies, strict=True):
        (scan.parent.parent / name).write_bytes(body)
    before, after = (
        tifffile.imread(scan.parent.parent / name).reshape(HEIGHT, WIDTH) for name in ("a.tif", "b.tif")
    )
    kept = np.s_[44:556, 0:512]
    assert np.array_equal(after[kept], before[kept])
    assert (after[:, 600:] != before[:, 600:]).mean() > 0.1
    again = running.manage("rederive", restored["id"])
    assert "The same file" in again.stdout, again.stdout + again.stderr
    assert problems == []
