"""Seeding the demonstration archive through the same services that people's work goes through; safe to repeat."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from django.conf import settings

from archive.accounts.models import Membership, Role, User
from archive.catalogue.models import Collection, Item, Version
from archive.catalogue.services import create_collection
from archive.demo.pictures import AGED, ROOT, SAMPLES, SHELVES, Sample
from archive.ingest.services import receive
from archive.jobs import services as jobs
from archive.jobs.models import Job, JobItem
from archive.jobs.recipes import offered
from archive.jobs.states import ENDED_JOBS
from archive.review.services import DecisionRefused, decide

PEOPLE = {
    "ada": ("Ada", Role.ARCHIVIST),
    "cai": ("Cai", Role.CURATOR),
    "odo": ("Odo", Role.ADMIN),
    "rea": ("Rea", Role.READER),
}
PUBLISHED = 4  # derivatives that a curator has approved and published, so that a reader sees some


class DemonstrationProblem(Exception):
    """The demonstration archive cannot be made; says why."""


def people(password: str) -> dict[str, User]:
    """The four sign-ins, all with one password."""
    found = {}
    for name, (shown, role) in PEOPLE.items():
        user, _created = User.objects.get_or_create(
            username=name, defaults={"display_name": shown, "is_staff": role == Role.ADMIN}
        )
        if not user.check_password(password):
            user.set_password(password)
            user.is_superuser = role == Role.ADMIN
            user.save()
        Membership.objects.get_or_create(user=user, collection=None, defaults={"role": role})
        found[name] = user
    return found


def shelves(by: User) -> dict[str, Collection]:
    """The collections, public."""
    found: dict[str, Collection] = {}
    root = Collection.objects.filter(ref=ROOT.ref).first() or create_collection(
        ROOT.ref, title=ROOT.title, by=by, access="public", description={"description": ROOT.about}
    )
    for shelf in SHELVES:
        found[shelf.ref] = Collection.objects.filter(ref=shelf.ref).first() or create_collection(
            shelf.ref, title=shelf.title, by=by, parent=root, description={"description": shelf.about}
        )
    return found


def pictures(into: dict[str, Collection], by: User) -> int:
    """Age what is not there yet and take it in; returns how many were new."""
    titles = set(
        Item.objects.filter(collection__in=into.values()).values_list(
            "description__title__0__value", flat=True
        )
    )
    missing = [sample for sample in SAMPLES if sample.title not in titles]
    if not missing:
        return 0
    folder = _skimage_folder()
    with tempfile.TemporaryDirectory() as scratch:
        sources = [str(folder / sample.file) for sample in missing]
        # A process of its own: the simulator needs torch, which the archive's processes never load.
        done = subprocess.run(
            [sys.executable, "-m", "stylizer.damage", *sources, "--out", scratch],
            capture_output=True, text=True, check=False, cwd=settings.ROOT,
        )  # fmt: skip
        if done.returncode:
            raise DemonstrationProblem(f"The pictures could not be aged: {done.stderr.strip()[-300:]}")
        for sample in missing:
            _take_in(sample, Path(scratch) / f"{Path(sample.file).stem}.tif", into[sample.collection], by)
    return len(missing)


def restore_all(into: dict[str, Collection], by: User) -> Job | None:
    """Order the restoration of everything, once."""
    if not offered():
        return None
    known = Job.objects.filter(ordered_by=by, preset="restore").order_by("pk").first()
    if known:
        return known
    return jobs.order(
        jobs.Scope(collection=ROOT.ref), "restore", by=by, title="Restore the demonstration collection"
    )


def publish_some(job: Job, by: User, *, patience: float) -> int:
    """Wait for the workers, then approve and publish the first few as a curator would; returns how many."""
    until = time.monotonic() + patience
    while job.state not in ENDED_JOBS and time.monotonic() < until:
        time.sleep(1)
        job.refresh_from_db()
    count = 0
    made = JobItem.objects.filter(job=job, result__isnull=False).order_by("position")[:PUBLISHED]
    for version in Version.objects.filter(pk__in=[item.result_id for item in made]):
        for decision in ("approve", "publish"):
            try:
                decide(version, decision, by=by, note="demonstration")
            except DecisionRefused:
                break  # decided in an earlier run, or by somebody since
            count += decision == "publish"
    return count


def _take_in(sample: Sample, path: Path, into: Collection, by: User) -> None:
    receive(
        path,
        filename=f"{path.stem}.tif",
        collection=into,
        by=by,
        on_duplicate="skip",
        description={
            "title": sample.title,
            "creator": sample.creator,
            "description": AGED,
            "subject": list(sample.subject),
            "rights": sample.rights,
            "source": f"scikit-image, data/{sample.file}",
        },
        date=sample.date,
    )


def _skimage_folder() -> Path:
    from importlib.util import find_spec

    found = find_spec("skimage")
    if found is None or not found.origin:
        raise DemonstrationProblem(
            "The demonstration pictures come with scikit-image: install palimpsest[demo]."
        )
    return Path(found.origin).parent / "data"
