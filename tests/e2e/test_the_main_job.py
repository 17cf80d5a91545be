"""The main job, with the shipped weights: upload a scan, restore it on a worker, compare it with the original."""

import hashlib
import json
import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ImageCms
from playwright.sync_api import ConsoleMessage, Page, expect

from stylizer.cards import packaged_card
from stylizer.damage.__main__ import age_file
from stylizer.imageio import facts
from tests.e2e.conftest import PASSWORD, Running

pytestmark = pytest.mark.timeout(300)


def is_problem(said: ConsoleMessage) -> bool:
    return said.type == "error" and "503" not in said.text  # 503: a tile that is still being made


def sign_in(page: Page, name: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A damaged 16-bit RGB TIFF with an ICC profile, as a scanner would give: printed in dots, scratched and aged."""
    folder = tmp_path_factory.mktemp("scan")
    rows, columns = np.mgrid[0:400, 0:520]
    waves = [
        0.5 + 0.3 * np.sin(rows / (17 + 4 * band) + columns / 23) * np.cos(columns / 31) for band in range(3)
    ]
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clean = folder / "clean" / "street.tif"
    clean.parent.mkdir()
    picture = (np.stack(waves, axis=2) * 65535).astype(np.uint16)
    tifffile.imwrite(clean, picture, photometric="rgb", iccprofile=profile, resolution=(300, 300))
    age_file(clean, folder / "street.tif")
    across, down = (2 * np.pi / 5 / 2**0.5 * way for way in (rows + columns, rows - columns))
    dots = 0.5 + 0.25 * (np.cos(across) + np.cos(down))[..., None]
    tones = tifffile.imread(folder / "street.tif") / 65535
    scratched = ((np.clip((tones - dots) * 6 + 0.5, 0, 1) * 0.8 + 0.1) * 65535).astype(np.uint16)
    scratched[40:360, 60:500:90] = 65535
    tifffile.imwrite(
        folder / "street.tif", scratched, photometric="rgb", iccprofile=profile, resolution=(300, 300)
    )
    assert facts(folder / "street.tif").icc == profile
    return folder / "street.tif"


def test_ada_uploads_a_scan_has_it_restored_and_compares(
    page: Page, running: Running, scan: Path, tmp_path: Path
) -> None:
    problems: list[str] = []
    page.on(
        "console", lambda said: problems.append(f"{said.text} {said.location}") if is_problem(said) else None
    )
    page.on("pageerror", lambda error: problems.append(str(error)))
    sign_in(page, "ada")

    page.get_by_role("link", name="Upload", exact=True).click()
    page.get_by_label("Into the collection").select_option(label="Portraits")
    page.locator("#files").set_input_files(scan)
    expect(page.locator(".tray li:is(.catalogued, .ready)")).to_have_count(1, timeout=30_000)
    page.locator(".tray li:is(.catalogued, .ready) a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("street")
    item = page.url

    page.get_by_label("Recipe").select_option("restore")
    page.get_by_role("button", name="Order").click()
    expect(page.get_by_text("1 of 1")).to_be_visible(timeout=120_000)  # by itself, without a reload
    expect(page.get_by_text(re.compile("^Finished"))).to_be_visible()
    page.reload()
    page.get_by_role("link", name="compare", exact=True).click()

    stage = page.locator("image-compare[data-ready] .stage")
    expect(stage).to_be_visible(timeout=60_000)
    expect(stage.locator(".sign.right")).to_contain_text("AI restoration")
    curtain = page.get_by_role("slider", name="Curtain")
    curtain.focus()
    before = page.locator(".divider").bounding_box()
    for _n in range(10):
        page.keyboard.press("ArrowLeft")
    expect(curtain).to_have_attribute("aria-valuetext", "40 % original scan, 60 % AI restoration")
    after = page.locator(".divider").bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] < before["x"] - 50
    for key, mode in [("s", "split"), ("d", "difference"), ("1", "left"), ("2", "right"), ("c", "curtain")]:
        page.keyboard.press(key)
        expect(stage).to_have_attribute("data-mode", mode)
    expect(page.locator(".badge.ai").first).to_be_visible()
    derivative = re.findall(r"[0-9a-f-]{36}", page.url)[0]

    files = {}
    versions = page.request.get(f"/api/v1/versions/?item={re.findall(r'[0-9a-f-]{36}', item)[0]}").json()[
        "results"
    ]
    for version in versions:
        files[version["role"]] = tmp_path / f"{version['role']}.tif"
        files[version["role"]].write_bytes(page.request.get(f"/api/v1/versions/{version['id']}/file").body())
    assert (
        hashlib.sha256(files["master"].read_bytes()).hexdigest()
        == hashlib.sha256(scan.read_bytes()).hexdigest()
    )
    made, source = facts(files["restored"]), facts(scan)
    assert (made.bits, made.icc, made.width, made.height) == (16, source.icc, source.width, source.height)
    assert b"compositeWithTrainedAlgorithmicMedia" in files["restored"].read_bytes()

    told = page.request.get(f"/api/v1/versions/{derivative}/provenance").json()
    assert told["source"]["sha256"] == hashlib.sha256(scan.read_bytes()).hexdigest()
    assert told["recipe"]["steps"][0]["weights"] == packaged_card("restore").weights
    assert (
        told["recipe_digest"]
        == hashlib.sha256(
            json.dumps(told["recipe"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        ).hexdigest()
    )
    assert told["report"]["output_sha256"] == hashlib.sha256(files["restored"].read_bytes()).hexdigest()
    restored, damaged = tifffile.imread(files["restored"]), tifffile.imread(scan)
    assert not np.array_equal(restored, damaged)
    assert not np.array_equal(restored >> 8, classical(damaged))
    assert problems == []


def classical(
    damaged: "np.ndarray[tuple[int, ...], np.dtype[np.uint16]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """What the tuned classical chain makes of the same scan."""
    from stylizer.evaluation import baselines

    picture = (damaged / 65535).astype(np.float32)
    chain = next(iter(baselines.chains().values()))
    return (np.clip(chain(picture), 0, 1) * 255).astype(np.uint8)


def test_nobody_sees_a_draft_and_everybody_what_cai_publishes(page: Page, running: Running) -> None:
    def found() -> int:
        with urllib.request.urlopen(
            f"{running.url}/api/v1/versions/?role=restored&collection=portraits"
        ) as answer:
            return len(json.load(answer)["results"])

    assert found() == 0
    sign_in(page, "cai")
    page.get_by_role("link", name="Review", exact=True).click()
    expect(page.locator(".pair.current image-compare[data-ready]")).to_be_visible(timeout=60_000)
    with page.expect_response(
        "**/versions/*/review/"
    ) as answered:  # the page goes on before the archive has answered
        page.get_by_role("button", name="Approve and publish").click()
    assert answered.value.ok
    expect(page.locator(".tally")).to_contain_text("1 published")
    assert found() == 1


def test_a_derivative_is_made_again_byte_for_byte(running: Running) -> None:
    with urllib.request.urlopen(
        f"{running.url}/api/v1/versions/?role=restored&collection=portraits"
    ) as answer:
        version = json.load(answer)["results"][0]["id"]
    done = running.manage("rederive", version)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The same file" in done.stdout
