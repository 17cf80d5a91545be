"""What people decide about a derivative: mutable, with a history; the version itself never changes."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.catalogue.models import Collection, Version
from archive.review.trials.models import Sitting, Trial, TrialPair, Vote

__all__ = ["Decision", "Review", "ReviewPolicy", "Sitting", "Trial", "TrialPair", "Vote"]


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
    # Who has approved it and was not overruled since: worked out from the decisions, written with each of them.
    approved_by = ArrayField(models.UUIDField(), default=list, editable=False)
    changed = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.get_state_display()


class Decision(models.Model):
    """One decision: who, when, which, from what to what, and why. A first approval of two changes no state."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="decisions")
    verb = models.CharField(max_length=16)
    before = models.CharField(max_length=16)
    after = models.CharField(max_length=16)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]


class ReviewPolicy(models.Model):
    """What a collection asks of those who judge; what is left open follows from the collection above it."""

    class OwnOrders(models.TextChoices):
        INHERIT = "inherit", _("as the collection above")
        ALLOWED = "allowed", _("may be approved by who ordered them")
        FORBIDDEN = "forbidden", _("must be approved by somebody else")

    collection = models.OneToOneField(
        Collection, on_delete=models.CASCADE, primary_key=True, related_name="review_policy"
    )
    approvals = models.PositiveSmallIntegerField(_("approvals needed"), null=True, blank=True)
    own_orders = models.CharField(
        _("one's own orders"), max_length=16, choices=OwnOrders, default=OwnOrders.INHERIT
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approvals=None) | models.Q(approvals__in=[1, 2]),
                name="one_or_two_approvals",
            )
        ]
