"""Disposable views of versions: re-creatable at any time, never provenance."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.catalogue.models import Version


class Rendition(models.Model):
    """A file in the renditions area made from a version: its pyramid or a thumbnail."""

    class Kind(models.TextChoices):
        PYRAMID = "pyramid", _("pyramid")
        THUMBNAIL = "thumbnail", _("thumbnail")
        DIFFERENCE = "difference", _("difference from its source")

    class State(models.TextChoices):
        WANTED = "wanted", _("wanted")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="renditions")
    kind = models.CharField(max_length=16, choices=Kind)
    width = models.PositiveIntegerField(default=0)  # of a thumbnail's box; 0 for a pyramid
    state = models.CharField(max_length=16, choices=State, default=State.WANTED)
    key = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField(default=0)
    detail = models.JSONField(default=dict)  # of a pyramid: level sizes and tile size
    problem = models.TextField(blank=True)
    tries = models.PositiveIntegerField(default=0)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "kind", "width"], name="one_rendition_of_a_kind")
        ]
        indexes = [
            models.Index(fields=["changed"], condition=models.Q(state="wanted"), name="renditions_wanted"),
        ]
