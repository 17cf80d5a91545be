"""Take the pictures of this folder again, of the demonstration archive that `make run` opens.

    PALIMPSEST_DEMO_PASSWORD=… .venv/bin/python docs/screenshots/take.py http://localhost:8000 [NAME …]

It needs Playwright, Chromium and the environment of the archive (PALIMPSEST_HOME). What the demonstration lacks, a
style, an exhibit, a box of uploads, it puts there first. All pictures in them come with scikit-image.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WIDE, NARROW = (1440, 900), (390, 844)
PLATES = (
    "coins.png",
    "chelsea.png",
    "brick.png",
    "grass.png",
    "gravel.png",
    "page.png",
    "rocket.jpg",
    "coffee.png",
    "moon.png",
)

ARRANGE = """
import time
from archive.accounts.models import User
from archive.catalogue.models import Version
from archive.exhibits import services as exhibits
from archive.exhibits.models import Exhibit
from archive.jobs import services as jobs
from archive.jobs.models import Job
from archive.jobs.states import ENDED_JOBS
odo, cai = (User.objects.get(username=name) for name in ("odo", "cai"))
job = Job.objects.filter(preset="style/halftone-plate").first() or jobs.order(
    jobs.Scope(collection="demonstration"), "style/halftone-plate", by=odo)
while job.state not in ENDED_JOBS:
    time.sleep(1)
    job.refresh_from_db()
def made(title, role):
    rows = Version.objects.filter(scan__item__description__title__0__value=title, role=role)
    return rows.order_by("number").first()
if not Exhibit.objects.exists():
    shown = exhibits.begin("Looked at twice", by=cai)
    for title in ("Portrait of Eileen Collins", "Launch of a Falcon 9 carrying DSCOVR"):
        exhibits.hang(shown, made(title, "restored").pk, by=cai)
    exhibits.write(shown, title=shown.title, subtitle="What was taken, and what a model made of it",
        introduction="", order=[], said={entry.pk: exhibits.Said(entry.version.scan.item.title,
        "Press O and look at what was there before.", "beside") for entry in shown.entries.all()})
    exhibits.publish(shown)
for name, title in (("PORTRAIT", "Portrait of Eileen Collins"), ("CUP", "Cup of coffee")):
    version = made(title, "restored")
    print(name, version.pk, version.scan.item_id, version.derived_from_id)
print("JOB", Job.objects.filter(preset="restore").order_by("pk").first().pk)
print("EXHIBIT", Exhibit.objects.order_by("pk").first().slug)
"""


def arrange() -> dict[str, list[str]]:
    """What is to be shown is there; its ids by name."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", ARRANGE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line}


@contextmanager
def box() -> Iterator[list[Path]]:
    """Nine plates, one of them twice, and a file that is none."""
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise SystemExit("The pictures come with scikit-image: install palimpsest[demo].")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, name in enumerate(PLATES, start=1):
            plate = Path(folder) / f"Box 7 plate {number:02}.jpg"
            Image.open(Path(found.origin).parent / "data" / name).convert("RGB").save(plate, quality=90)
            files.append(plate)
        shutil.copy(files[0], Path(folder) / "Box 7 plate 01 again.jpg")
        (Path(folder) / "Box 7 list.jpg").write_text("01 coins\n02 a cat\n")
        yield [*files, Path(folder) / "Box 7 plate 01 again.jpg", Path(folder) / "Box 7 list.jpg"]


class Camera:
    """Opens pages as somebody and keeps what is seen of them."""

    def __init__(self, browser: Browser, address: str, only: list[str]) -> None:
        self.browser, self.address, self.only = browser, address, only
        self.password = os.environ["PALIMPSEST_DEMO_PASSWORD"]

    def take(
        self,
        name: str,
        path: str,
        *,
        who: str = "odo",
        size: tuple[int, int] = WIDE,
        dark: bool = False,
        whole: bool = False,
        first: Callable[[Page], None] | None = None,
    ) -> None:
        """Keep `name`.webp. `whole`: the page down to its foot; `first`: what is done on it before."""
        if self.only and name not in self.only:
            return
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
        )
        page = context.new_page()
        if who:
            page.goto("/accounts/login/")
            page.get_by_label("User name").fill(who)
            page.get_by_label("Password").fill(self.password)
            page.get_by_role("main").get_by_role("button", name="Sign in").click()
            page.wait_for_url(lambda url: "login" not in url)
        page.goto(path)
        if first:
            first(page)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1200)
        picture = HERE / f"{name}.png"
        page.screenshot(path=picture, full_page=whole)
        Image.open(picture).convert("RGB").save(HERE / f"{name}.webp", quality=80, method=6)
        picture.unlink()
        context.close()


def ready(page: Page) -> None:
    page.locator(
        ":is(image-compare, image-viewer)[data-ready], image-viewer .openseadragon-canvas"
    ).first.wait_for(timeout=60_000)


def press(*keys: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        ready(page)
        for key in keys:
            page.keyboard.press(key)

    return act


def upload(page: Page) -> None:
    page.get_by_label("Into the collection").select_option("demonstration")
    page.get_by_label("How many the sheet says").fill("12")
    with box() as files:
        page.locator("#files").set_input_files(files)
        page.locator(".tray li:is(.ready, .ask, .duplicate)").nth(9).wait_for(timeout=120_000)
        page.locator(".tray li:is(.reading, .checking, .catalogued, .uploading)").first.wait_for(
            state="detached", timeout=120_000
        )


def last_box(page: Page) -> None:
    page.locator(".boxes a").first.click()


def proofs(page: Page) -> None:
    page.wait_for_timeout(3000)  # they are ordered as the page is opened
    page.locator(".proofing").wait_for(state="detached", timeout=600_000)


def main() -> None:
    address, *only = sys.argv[1:]
    there = arrange()
    portrait, item, _scan = there["PORTRAIT"]
    cup, _item, cup_scan = there["CUP"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        camera = Camera(browser, address, only)
        camera.take("home", "/", whole=True)
        camera.take("collection", "/collections/demonstration/", whole=True)
        camera.take("item", f"/items/{item}/", whole=True, first=ready)
        camera.take("version", f"/versions/{portrait}/", whole=True, first=ready)
        camera.take("compare", f"/compare/{cup}/", whole=True, first=ready)
        camera.take("compare-dark", f"/compare/{cup}/", whole=True, dark=True, first=press("s"))
        camera.take("loupe", f"/compare/{portrait}/", who="", dark=True, size=(1280, 900), first=press("l"))
        camera.take("styles", "/?style=style/halftone-plate")
        camera.take("job", f"/jobs/{there['JOB'][0]}/")
        camera.take("review", "/review/", who="cai", first=ready)
        camera.take("contact-sheet", "/review/sheet/", who="cai")
        camera.take("exhibit", f"/exhibits/{there['EXHIBIT'][0]}/", who="")
        camera.take("exhibit-narrow", f"/exhibits/{there['EXHIBIT'][0]}/", who="", size=NARROW, dark=True)
        camera.take("review-narrow", "/review/", who="cai", size=NARROW, dark=True, first=ready)
        camera.take("item-narrow", f"/items/{item}/", size=NARROW, whole=True, first=ready)
        camera.take("compare-narrow", f"/compare/{cup}/", size=NARROW, whole=True, first=ready)
        camera.take("proofs", f"/versions/{cup_scan}/proofs/", whole=True, first=proofs)
        camera.take("upload", "/upload/", who="ada", whole=True, first=upload)
        camera.take("batch", "/upload/", who="ada", first=last_box)
        camera.take("search", "/?sort=title", who="ada")
        camera.take("search-narrow", "/?sort=title", who="ada", size=NARROW, dark=True)
        camera.take(
            "menu-narrow",
            "/jobs/",
            size=NARROW,
            first=lambda page: page.get_by_role("button", name="Menu").click(),
        )
        browser.close()


if __name__ == "__main__":
    main()
