"""Figures for Prometheus, counted from the rows at the moment of asking: they are the truth, and survive a restart."""

from collections.abc import Iterator

from django.db.models import Count, Sum
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from archive.catalogue.models import StoredFile, Version
from archive.jobs.models import Job, JobItem
from archive.store import get_store
from archive.system import readiness


class ArchiveCollector(Collector):
    """Every figure has a help text; labels have few values, known beforehand."""

    def collect(self) -> Iterator[Metric]:
        yield _by_label("palimpsest_versions", "Versions by role", "role", _counts(Version, "role"))
        yield _by_label("palimpsest_jobs", "Jobs by state", "state", _counts(Job, "state"))
        yield _by_label("palimpsest_job_items", "Job items by state", "state", _counts(JobItem, "state"))
        yield _by_label("palimpsest_stored_files", "Stored files by condition", "condition", _stored())
        size = StoredFile.objects.aggregate(total=Sum("size"))["total"] or 0
        yield _gauge("palimpsest_stored_bytes", "Bytes of all stored files", float(size))
        if (free := get_store().free_bytes()) is not None:
            yield _gauge("palimpsest_store_free_bytes", "Bytes free where the store is", float(free))
        alive: dict[str, float] = {"gpu": 0, "io": 0}
        for worker in readiness.workers():
            alive[worker.kind] = alive.get(worker.kind, 0) + worker.alive
        yield _by_label("palimpsest_workers", "Workers seen within a minute, by kind", "kind", alive)
        parts = {part.name: float(part.ready) for part in readiness.parts()}
        yield _by_label(
            "palimpsest_ready", "Whether a part of the archive is ready (1) or not", "part", parts
        )


def exposition() -> bytes:
    """The text Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(ArchiveCollector())
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _counts(model: type[Version] | type[Job] | type[JobItem], field: str) -> dict[str, float]:
    return dict(model.objects.order_by().values_list(field).annotate(count=Count("pk")))


def _stored() -> dict[str, float]:
    return dict(StoredFile.objects.order_by().values_list("condition").annotate(count=Count("pk")))


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _by_label(name: str, text: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family
