"""Pictures and the bytes behind them: stored files, scans, versions, recipes, model releases."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.catalogue.model_description import Item
from archive.ids import new_id


class StoredFile(models.Model):
    """Bytes in the store, named by what they are. Only the last two columns may ever change."""

    class Condition(models.TextChoices):
        INTACT = "intact", _("intact")
        DAMAGED = "damaged", _("damaged")  # fixity failed: never served until it is repaired
        DISPOSED = "disposed", _("disposed")  # bytes removed by an admin, with a reason in the event

    sha256 = models.CharField(primary_key=True, max_length=64)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    created = models.DateTimeField(auto_now_add=True)
    last_verified = models.DateTimeField(null=True)
    condition = models.CharField(max_length=16, choices=Condition, default=Condition.INTACT)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="a_digest_is_64_hex_digits"
            ),
            models.CheckConstraint(condition=Q(size__gte=1), name="no_empty_stored_file"),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class Recipe(models.Model):
    """A resolved recipe in canonical JSON, exactly the bytes its digest was taken of (hence text, not jsonb)."""

    digest = models.CharField(primary_key=True, max_length=64)
    canonical = models.TextField()
    operations = ArrayField(models.CharField(max_length=24))
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return "+".join(self.operations)


class ModelRelease(models.Model):
    """A network's weights as the archive knows them: workers fetch them from the store by digest."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    version = models.CharField(max_length=40)
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="model_release")
    card = models.JSONField()
    registered = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-registered"]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="one_release_per_name_and_version")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Scan(models.Model):
    """One digitised surface of an item: recto, verso, page 3."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="scans")
    position = models.PositiveIntegerField()
    label = models.CharField(_("label"), max_length=120, blank=True)
    current_master = models.ForeignKey("Version", on_delete=models.PROTECT, null=True, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "position"],
                name="one_position_per_scan",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]

    def __str__(self) -> str:
        return self.label or str(self.position)


class Version(models.Model):
    """One picture of one scan: a stored file and a page in it. Immutable from the moment it exists."""

    class Role(models.TextChoices):
        MASTER = "master", _("original scan")
        RESTORED = "restored", _("AI restoration")
        UPSCALED = "upscaled", _("AI enlargement")
        COLOURISED = "colourised", _("AI colourisation")
        STYLISED = "stylised", _("AI stylisation")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    role = models.CharField(max_length=16, choices=Role)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="versions")
    page = models.PositiveIntegerField(default=0)
    original_name = models.CharField(max_length=255, blank=True)

    # upright pixels, as every coordinate, mask and comparison in the archive
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bands = models.PositiveSmallIntegerField()
    bits = models.PositiveSmallIntegerField()
    technical = models.JSONField(
        default=dict
    )  # icc name and digest, ppi, orientation, pages: as `ingest` read them

    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    derived_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="derivatives")
    reference = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="referenced_by")
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, null=True, related_name="versions")
    run = models.PositiveIntegerField(default=1)  # more than 1 only if "make again" was asked
    report = models.JSONField(default=dict)  # the engine's report: figures, fingerprint, software, times

    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["scan", "number"]
        indexes = [models.Index(fields=["scan", "role"])]
        constraints = [
            models.UniqueConstraint(fields=["scan", "number"], name="one_number_per_scan"),
            models.UniqueConstraint(
                fields=["derived_from", "recipe", "run"], name="one_version_per_source_recipe_run"
            ),
            models.CheckConstraint(
                condition=Q(role="master", derived_from=None, recipe=None, reference=None)
                | (~Q(role="master") & Q(derived_from__isnull=False, recipe__isnull=False, supersedes=None)),
                name="only_masters_lack_a_source",
            ),
            models.CheckConstraint(condition=~Q(derived_from=F("id")), name="no_version_of_itself"),
            models.CheckConstraint(
                condition=Q(width__gte=1, height__gte=1, number__gte=1, run__gte=1),
                name="version_counts_from_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.number}"

    @property
    def is_master(self) -> bool:
        return self.role == self.Role.MASTER

    @property
    def operations(self) -> list[str]:
        """All operations of the recipe in order; a master has none."""
        return list(self.recipe.operations) if self.recipe else []


class Sidecar(models.Model):
    """A change map or damage mask of a derivative: provenance, small, immutable."""

    class Kind(models.TextChoices):
        CHANGE_MAP = "change_map", _("change map")
        DAMAGE_MASK = "damage_mask", _("damage mask")

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="sidecars")
    kind = models.CharField(max_length=16, choices=Kind)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="sidecars")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "kind"], name="one_sidecar_of_a_kind")]
