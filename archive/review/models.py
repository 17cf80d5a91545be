"""What people decide about a derivative: mutable, with a history; the version itself never changes."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.catalogue.models import Version


class Review(models.Model):
    """The standing of one derivative: draft ⇄ approved, draft ⇄ rejected, approved ⇄ published; any → withdrawn."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        PUBLISHED = "published", _("published")
        WITHDRAWN = "withdrawn", _("withdrawn")

    version = models.OneToOneField(Version, on_delete=models.PROTECT, primary_key=True, related_name="review")
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT, db_index=True)
    changed = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.get_state_display()


class Decision(models.Model):
    """One change of a review: who, when, from what to what, and why."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="decisions")
    before = models.CharField(max_length=16)
    after = models.CharField(max_length=16)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
