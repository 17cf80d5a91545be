"""A style from a picture of the archive: found, proofed, saved under a name, ordered by it, found again in the grid."""

import re

import numpy as np
import pytest
import tifffile
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Running
from tests.e2e.test_the_main_job import is_problem, sign_in

pytestmark = pytest.mark.timeout(300)
SLOW = 120_000  # milliseconds: a worker on a busy machine

# A network of some hundred numbers that takes its style from a picture, where this release ships none.
RELEASE = """
from pathlib import Path
from archive.catalogue.models import ModelRelease
from archive.catalogue.services import register_file, register_release
from archive.store import get_store
from tests.stylizer.test_stylise import stylist
if not ModelRelease.objects.filter(name="style/reference").exists():
    made = stylist(Path({path!r}), "style/reference", seed=3, encoder=3)
    kept = get_store().put_path(made.path)
    register_release(made.card, register_file(kept.sha256, size=kept.size, media_type="application/octet-stream"))
"""


@pytest.fixture(scope="module", autouse=True)
def _pictures(running: Running, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("styles")
    weights = folder.parent / "reference.safetensors"
    made = running.manage("shell", "-v0", "-c", RELEASE.format(path=str(weights)))
    assert made.returncode == 0, made.stderr
    rows, columns = np.mgrid[0:160, 0:220]
    wave = 0.5 + 0.3 * np.sin(rows / 17) * np.cos(columns / 31)
    stripes = np.stack([np.sin(columns / 3) * 0.4 + 0.5, rows / 160, np.full(rows.shape, 0.2)], axis=2)
    for name, picture in (("lighthouse", np.repeat(wave[..., None], 3, axis=2)), ("poster", stripes)):
        tifffile.imwrite(folder / f"{name}.tif", (picture * 65535).astype(np.uint16), photometric="rgb")
    taken = running.manage("ingest", str(folder), "--collection", "styled")
    assert taken.returncode == 0, taken.stdout + taken.stderr


def test_odo_takes_the_style_of_a_poster_saves_it_and_finds_what_was_made(
    page: Page, running: Running
) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if is_problem(said) else None)
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, "odo")
    found = page.request.get("/api/v1/items/?collection=styled").json()["results"]
    scans = {
        item["title"]: page.request.get(f"/api/v1/versions/?item={item['id']}").json()["results"][0]["id"]
        for item in found
    }

    # a picture of the archive, by its name; its style on this scan, small
    page.goto(f"/versions/{scans['lighthouse']}/proofs/")
    page.get_by_label("Find a picture in the archive").fill("poster")
    page.locator("#styles").get_by_role("link", name=re.compile("poster")).click()
    expect(page).to_have_url(re.compile(f"reference={scans['poster']}"))
    card = page.locator(".proof.ai").first
    expect(card).to_contain_text("In the style of “poster”.")
    expect(card.locator(".face img")).to_be_visible(timeout=SLOW)
    expect(card.locator(".badge.ai")).to_contain_text("AI proof")

    # its settings, and a name for them: Enter in the name's field saves, and orders nothing
    card.get_by_role("link", name=re.compile("^Settings")).click()
    expect(page.locator(".style-picture")).to_contain_text("In the style of “poster”")
    expect(page.locator("recipe-preview .figures")).to_contain_text("visibly changed", timeout=SLOW)
    expect(page.locator(".restoring")).to_be_hidden()
    page.get_by_text("Save these settings as a recipe").click()
    name = page.locator(".keeping").get_by_label("Name")
    name.fill("After the poster")
    name.press("Enter")
    expect(page.locator("#kept")).to_contain_text("“After the poster” is saved")
    expect(page.locator("#saved-recipes")).to_contain_text("After the poster")
    assert page.request.get("/api/v1/versions/?collection=styled&role=stylised").json()["results"] == []

    # by its name from the proofs, at full size
    page.goto(f"/versions/{scans['lighthouse']}/proofs/")
    page.get_by_role("button", name=re.compile("^Order at full size ?: After the poster$")).click()
    expect(page.get_by_text("1 of 1")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile("^Finished"))).to_be_visible()
    made = page.request.get("/api/v1/versions/?collection=styled&role=stylised").json()["results"][0]
    assert (made["derived_from"], made["reference"]) == (scans["lighthouse"], scans["poster"])

    # in the grid: the style by its name, the picture in it, labelled, the original in its corner
    page.goto("/?in=styled&view=grid")
    page.locator(".facets").get_by_role("link", name=re.compile("After the poster")).click()
    styled = page.locator(".card.styled")
    expect(styled).to_have_count(1)
    expect(styled.locator(".badge.ai")).to_contain_text("AI stylisation")
    expect(styled).to_contain_text("After the poster")
    expect(styled.get_by_role("link", name="Original of lighthouse")).to_be_visible()
    styled.get_by_role("link", name=re.compile("compare with the original")).click()
    expect(page).to_have_url(re.compile(f"/compare/{made['id']}/"))

    # off the list again: what was made stays, the name is history
    page.goto("/jobs/recipes/")
    page.get_by_role("button", name=re.compile("Take off the list")).click()
    expect(page.get_by_role("status")).to_contain_text("was taken off the list")
    page.get_by_text("Taken off the list").last.click()
    expect(page.get_by_role("main")).to_contain_text("taken off by Odo")
    assert problems == []
