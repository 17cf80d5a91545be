"""Units of description: collections in a tree, and the items in them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.ids import new_id


class Collection(models.Model):
    """A unit of description above the item (ISAD(G) fonds, series, file, or plainly "collection").

    `access` and `ai_policy` may be left to the parent ("inherit"). What then holds is worked out once, when something
    changes, into the `effective_…` columns by `services.refresh_tree`, so that every page asks one plain column.
    """

    class Level(models.TextChoices):
        COLLECTION = "collection", _("collection")
        FONDS = "fonds", _("fonds")
        SERIES = "series", _("series")
        FILE = "file", _("file")

    class Access(models.TextChoices):
        INHERIT = "inherit", _("as the collection above")
        PUBLIC = "public", _("public")
        STAFF = "staff", _("staff")
        PRIVATE = "private", _("private")

    class AIPolicy(models.TextChoices):
        INHERIT = "inherit", _("as the collection above")
        ALLOWED = "allowed", _("AI derivatives allowed")
        RESTORE_ONLY = "restore-only", _("restoration only")
        NONE = "none", _("no AI")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ref = models.SlugField(_("reference"), max_length=80, unique=True, allow_unicode=True)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    level = models.CharField(_("level"), max_length=16, choices=Level, default=Level.COLLECTION)
    title = models.CharField(_("title"), max_length=300)
    description = models.JSONField(default=dict, blank=True)
    access = models.CharField(_("access"), max_length=16, choices=Access, default=Access.PRIVATE)
    embargo_until = models.DateField(_("closed until"), null=True, blank=True)
    ai_policy = models.CharField(_("AI policy"), max_length=16, choices=AIPolicy, default=AIPolicy.INHERIT)

    path = ArrayField(models.UUIDField(), default=list, editable=False)  # ids from the root down to this one
    effective_access = models.CharField(max_length=16, editable=False, default=Access.PRIVATE)
    effective_embargo_until = models.DateField(null=True, editable=False)
    effective_ai_policy = models.CharField(max_length=16, editable=False, default=AIPolicy.ALLOWED)
    # The nearest collection upwards that is private in its own right: roles given above it do not reach below it.
    private_root = models.UUIDField(null=True, editable=False)

    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["title", "id"]
        indexes = [GinIndex(fields=["path"], name="collection_path")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(parent=None) | ~models.Q(access="inherit"),
                name="a_root_states_its_access",
            ),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("id")), name="no_collection_in_itself"
            ),
            # A policy in a word that nobody knows would forbid nothing.
            models.CheckConstraint(
                condition=models.Q(
                    access__in=("inherit", "public", "staff", "private"),
                    effective_access__in=("public", "staff", "private"),
                ),
                name="access_in_a_known_word",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    ai_policy__in=("inherit", "allowed", "restore-only", "none"),
                    effective_ai_policy__in=("allowed", "restore-only", "none"),
                ),
                name="ai_policy_in_a_known_word",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Item(models.Model):
    """The thing described: a photograph, a letter, an album. Its face is always an original, never a derivative.

    `description` is `{property: [{"value": str, "lang": str}]}` with Dublin Core properties, validated in
    `catalogue.description`; each change of it is an `ItemRevision`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="items")
    description = models.JSONField(default=dict)
    date_verbatim = models.CharField(_("date as written"), max_length=200, blank=True)
    date_edtf = models.CharField(_("date (EDTF)"), max_length=100, blank=True)
    date_earliest = models.DateField(null=True, blank=True)
    date_latest = models.DateField(null=True, blank=True)
    sensitive = models.BooleanField(_("sensitive"), default=False)
    sensitive_reason = models.CharField(_("why it is sensitive"), max_length=300, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["collection", "id"]), models.Index(fields=["date_earliest"])]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The first title, or a sentence that says there is none."""
        titles = self.description.get("title") or []
        return str(titles[0]["value"]) if titles else str(_("Untitled"))


class Edit(models.Model):
    """One change of many items at once: a sheet, a table, the undoing of one of those; its revisions say what."""

    class Kind(models.TextChoices):
        SHEET = "sheet", _("sheet")
        TABLE = "table", _("table")
        UNDO = "undo", _("undo")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="edits")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=300, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="undone_by")

    class Meta:
        ordering = ["-id"]


class ItemRevision(models.Model):
    """What an item's description was after one edit; the newest equals the item's own."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    description = models.JSONField()
    date_verbatim = models.CharField(max_length=200, blank=True)
    sensitive = models.BooleanField(default=False)
    sensitive_reason = models.CharField(max_length=300, blank=True)
    edit = models.ForeignKey(Edit, on_delete=models.PROTECT, null=True, related_name="revisions")
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="one_number_per_item_revision")
        ]
