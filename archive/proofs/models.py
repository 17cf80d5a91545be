"""What a recipe makes of a scan at a small size: disposable like any rendition, never a version, never provenance."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.catalogue.models import Version


class Proof(models.Model):
    """One recipe on one version. `recipe` is the resolved recipe's digest, `canonical` the recipe itself: one that was
    never ordered is no record, so it has no row among the recipes."""

    class State(models.TextChoices):
        WANTED = "wanted", _("waiting")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="proofs")
    recipe = models.CharField(max_length=64)
    canonical = models.TextField()
    state = models.CharField(max_length=8, choices=State, default=State.WANTED)
    taken_until = models.DateTimeField(null=True)  # a worker is at it until then, by the database's clock
    tries = models.PositiveSmallIntegerField(default=0)
    key = models.CharField(max_length=200, blank=True)  # in the renditions area
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "recipe"], name="one_proof_of_a_recipe")]
        indexes = [models.Index(fields=["id"], condition=models.Q(state="wanted"), name="proofs_wanted")]

    def __str__(self) -> str:
        return f"{self.version_id} {self.recipe[:8]}"
