"""A bulk order by hand: from a search, watched, paused, resumed, cancelled, tried again, undone. Each state survives a
reload, and a second admin sees it."""

import re
import time
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import PASSWORD, Running
from tests.e2e.test_the_main_job import is_problem, sign_in

pytestmark = pytest.mark.timeout(600)
SEEN, LEFT_OUT = 14, 3
SLOW = 120_000  # milliseconds: a worker on a busy machine

# One of them is not in the store: it fails, and can be tried again once its bytes are back. It was looked at before, so
# its views are there: without bytes none is made of it, and pages that show it would say so.
MAKE = f"""
import time
from archive.accounts.models import Membership, User
from archive.catalogue import services
from archive.iiif.models import Rendition
from archive.iiif.services import want
from archive.store import get_store
from django.conf import settings
from tests.archive import factories
una = User.objects.create_user("una", password={PASSWORD!r}, display_name="Una")
Membership.objects.create(user=una, role="admin")
place = services.create_collection("harbour", title="Harbour", by=None, access="staff")
closed = services.create_collection("harbour-closed", title="Closed", by=None, parent=place, ai_policy="none")
for n in range({SEEN}):
    master = factories.master_of(place, factories.pixels(230, 310, seed=500 + n), title=f"Quayside {{n + 1}}")
for n in range({LEFT_OUT}):
    factories.master_of(closed, factories.pixels(seed=700 + n), title=f"Quayside, closed {{n + 1}}")
until = time.monotonic() + 120
want([master.pk])
while not Rendition.objects.filter(version=master, kind="pyramid", state="ready").exists():
    assert time.monotonic() < until, "no worker made the views"
    time.sleep(0.2)
kept = settings.HOME / "put-aside"
with get_store().open(master.file_id) as file:
    kept.write_bytes(file.read())
get_store().remove(master.file_id)
"""
PUT_BACK = """
import io
from django.conf import settings
from archive.store import get_store
get_store().put(io.BytesIO((settings.HOME / "put-aside").read_bytes()))
"""


def asked(page: Page, job: str) -> tuple[str, dict[str, int], list[str]]:
    """The job's state, its items by theirs, and how what it made stands in review: from the rows, not their sums."""
    items = page.request.get(f"/api/v1/jobs/{job}/items/?limit=200").json()["results"]
    made = [item["result"] for item in items if item["result"]]
    reviews = {page.request.get(f"/api/v1/versions/{version}/").json()["review"] for version in made}
    state = page.request.get(f"/api/v1/jobs/{job}/").json()["state"]
    return state, dict(Counter(item["state"] for item in items)), sorted(reviews)


class Stylizer:
    """The worker's process. Held, it does nothing at all: people take their time, and small pictures are soon made."""

    def __init__(self, running: Running) -> None:
        home = str(running.home)
        self.processes = [
            process for process in psutil.process_iter()
            if "workers.gpu:app" in _words(process) and process.environ().get("PALIMPSEST_HOME") == home
        ]  # fmt: skip
        assert self.processes

    def hold(self) -> None:
        for process in self.processes:
            process.suspend()

    def let_go(self) -> None:
        for process in self.processes:
            process.resume()

    def hold_when(self, page: Page, job: str, **least: int) -> None:
        """Let it work until so many items are in these states, and hold it there."""
        self.let_go()
        until = time.monotonic() + SLOW / 1000
        while time.monotonic() < until:
            counts = page.request.get(f"/api/v1/jobs/{job}/").json()["counts"]
            if all(counts.get(state, 0) >= n for state, n in least.items()):
                self.hold()
                return
        raise AssertionError(f"the job never came to {least}: {counts}")


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def ran(running: Running, code: str) -> None:
    done = running.manage("shell", "-v0", "-c", code)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", autouse=True)
def _harbour(running: Running) -> None:
    ran(running, MAKE)


@pytest.fixture
def una(browser: Browser, browser_context_args: dict[str, object]) -> Iterator[Page]:
    """A second admin, at another desk."""
    context: BrowserContext = browser.new_context(**browser_context_args)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, "una")
    yield page
    context.close()


def in_state(page: Page, words: str) -> None:
    expect(page.locator("#progress .job-line .state")).to_have_text(
        re.compile(words, re.IGNORECASE), timeout=SLOW
    )


def both_see(words: str, mine: Page, hers: Page) -> None:
    """At once without a reload, after one, and at another desk."""
    in_state(mine, words)
    mine.reload()
    in_state(mine, words)
    in_state(hers, words)  # hers follows by itself


@pytest.fixture
def stylizer(running: Running) -> Iterator[Stylizer]:
    found = Stylizer(running)
    yield found
    found.let_go()


def test_odo_orders_for_what_a_search_finds_and_steers_it_to_the_end(
    page: Page, una: Page, running: Running, stylizer: Stylizer
) -> None:
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if is_problem(said) else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, "odo")

    # order: from a search, with the count of what is left out and why
    page.goto("/?q=quayside")
    page.get_by_role("link", name="Order for these…").click()
    expect(page.locator(".lead")).to_contain_text(f"{SEEN + LEFT_OUT} scans")
    check = page.locator("#check")
    expect(check).to_contain_text(str(LEFT_OUT), timeout=SLOW)
    expect(check).to_contain_text("allows no AI derivatives")
    expect(check).to_contain_text("Quayside, closed 1")
    stylizer.hold()
    page.get_by_role("button", name="Order", exact=True).click()
    expect(page).to_have_url(re.compile(r"/jobs/[0-9a-f-]{36}/$"))
    una.goto(page.url)
    job = page.url.split("/")[-2]

    # watch: counts grow without a reload, and the pair is there
    both_see("running", page, una)
    expect(page.locator(".counts .excluded b")).to_have_text(str(LEFT_OUT))
    stylizer.hold_when(page, job, done=1)
    expect(page.locator(".counts .done b")).to_have_text(re.compile(r"[1-9]"), timeout=SLOW)
    expect(page.locator(".sheet .pair").first).to_be_visible(timeout=SLOW)

    # pause, with why; the one at hand is finished, no other is begun
    page.get_by_text("Pause", exact=True).click()
    page.get_by_label("Why (others see it)").fill("The reading room needs the machine")
    page.get_by_role("button", name="Pause the job").click()
    both_see("paused", page, una)
    expect(una.locator("#progress .notice").first).to_contain_text("The reading room needs the machine (Odo")
    stylizer.let_go()
    expect(una.locator(".counts .running")).to_have_count(0, timeout=SLOW)
    paused = asked(page, job)
    page.wait_for_timeout(3000)
    assert asked(page, job) == paused
    assert paused[0] == "paused"
    assert paused[1]["queued"] > 1

    # resume, by the other admin
    stylizer.hold()
    una.get_by_role("button", name="Resume").click()
    both_see("running", una, page)

    # cancel: what is made stays, the rest is not made, not even the one that is begun
    stylizer.hold_when(page, job, running=1)
    page.reload()
    page.get_by_role("button", name="Cancel").click()
    both_see("cancelled", page, una)
    stylizer.let_go()
    expect(page.locator(".counts .running")).to_have_count(0, timeout=SLOW)  # at its next tile
    state, states, reviews = asked(page, job)
    assert (state, states["excluded"], reviews) == ("cancelled", LEFT_OUT, ["draft"])
    assert states["done"] + states["cancelled"] + states.get("failed", 0) == SEEN
    assert states["cancelled"] > 0

    # try again: all but the one without bytes are made; it fails with a sentence, and is made once they are back
    page.get_by_role("button", name=re.compile("again")).first.click()
    both_see("finished", page, una)
    assert asked(page, job)[1] == {"done": SEEN - 1, "failed": 1, "excluded": LEFT_OUT}
    page.locator(".counts .failed").click()
    expect(page.locator("table.items")).to_contain_text("store-missing")
    ran(running, PUT_BACK)
    page.get_by_role("button", name=re.compile("chosen ones again")).click()
    expect(page.locator(".counts .failed")).to_have_count(0, timeout=SLOW)
    both_see("finished", page, una)
    assert asked(page, job)[1] == {"done": SEEN, "excluded": LEFT_OUT}

    # undo: says what it touches, withdraws it, keeps the history
    page.get_by_role("link", name="Undo…").click()
    expect(page.get_by_role("main")).to_contain_text(f"{SEEN} derivatives are withdrawn")
    page.get_by_role("button", name=f"Withdraw {SEEN}").click()
    both_see("undone", page, una)
    assert asked(page, job) == ("undone", {"done": SEEN, "excluded": LEFT_OUT}, ["withdrawn"])
    assert not problems
