"""A trial, the pairs it was frozen into, who judges it, and what they chose."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.catalogue.models import Collection, Recipe, Version
from archive.ids import new_id


class Side(models.TextChoices):
    A = "a", "A"
    B = "b", "B"


class Choice(models.TextChoices):
    A = "a", "A"
    B = "b", "B"
    NEITHER = "none", _("no difference")


class Trial(models.Model):
    """One question about two sides. Without a second recipe side B is the scan itself."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="trials")
    question = models.CharField(_("question"), max_length=200)
    recipe_a = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="+")
    recipe_b = models.ForeignKey(Recipe, on_delete=models.PROTECT, null=True, related_name="+")
    closed = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(recipe_b=None) | ~Q(recipe_a=F("recipe_b")),
                name="no_trial_of_a_recipe_with_itself",
            ),
            models.CheckConstraint(condition=~Q(question=""), name="a_trial_asks_something"),
        ]

    def __str__(self) -> str:
        return self.question

    @property
    def with_scan(self) -> bool:
        """Is one of the sides the untouched scan?"""
        return self.recipe_b_id is None


class TrialPair(models.Model):
    """One scan of a trial with the two versions that are compared: frozen, whatever is made or rejected later."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="pairs")
    source = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    a = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    b = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trial", "source"], name="one_pair_per_trial_and_source"),
            models.CheckConstraint(condition=~Q(a=F("b")), name="no_pair_of_the_same"),
        ]


class Sitting(models.Model):
    """One person's part in a trial, from the first vote until they say that they have finished."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="sittings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    begun = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trial", "person"], name="one_sitting_per_trial_and_person")
        ]


class Vote(models.Model):
    """What somebody chose on one scan, and which side stood on the left when they did."""

    sitting = models.ForeignKey(Sitting, on_delete=models.CASCADE, related_name="votes")
    pair = models.ForeignKey(TrialPair, on_delete=models.CASCADE, related_name="votes")
    left = models.CharField(max_length=1, choices=Side)
    choice = models.CharField(max_length=4, choices=Choice)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            # A sitting is a person in a trial, a pair a source in one.
            models.UniqueConstraint(fields=["sitting", "pair"], name="one_vote_per_person_trial_and_source"),
            models.CheckConstraint(condition=Q(left__in=Side.values), name="a_side_stood_left"),
            models.CheckConstraint(condition=Q(choice__in=Choice.values), name="a_vote_chooses"),
        ]
