"""What finding reads: rows derived from the description, re-creatable at any time; terms; and saved searches."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.catalogue.model_description import Collection, Edit, Item
from archive.ids import new_id


class FacetSet(models.Model):
    """One combination of all that facets count, shared by every item that has it.

    An archive of a hundred thousand items has some hundreds of these, so counting a page's facets is one GROUP BY over
    whole numbers, and what a person may see is decided per combination, not per item. Rows never change: a process may
    remember them.
    """

    key = models.CharField(max_length=64, unique=True)  # digest of the rest
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="+")
    sensitive = models.BooleanField()
    types = ArrayField(models.TextField())
    rights = ArrayField(models.TextField())
    derived = ArrayField(
        models.TextField()
    )  # "state|role|model|look|styles" of derivatives neither rejected nor withdrawn


class PlaceSet(models.Model):
    """The places of an item, shared by every item that has the same. Rows never change."""

    key = models.CharField(max_length=64, unique=True)
    places = ArrayField(models.TextField())

    class Meta:
        indexes = [GinIndex(fields=["places"], name="placeset_places")]


class ItemIndex(models.Model):
    """What search, facets and sorting read of one item."""

    item = models.OneToOneField(Item, on_delete=models.CASCADE, primary_key=True, related_name="index")
    title = models.CharField(max_length=300)
    sort_key = models.CharField(max_length=300)  # the server's collation sorts by code point
    document = SearchVectorField()
    facets = models.ForeignKey(
        FacetSet, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    places = models.ForeignKey(PlaceSet, on_delete=models.PROTECT, null=True, related_name="+")
    year_from = models.SmallIntegerField(null=True)  # null: not dated; ±9999: open on that side
    year_to = models.SmallIntegerField(null=True)
    first_day = models.DateField(null=True)  # for sorting: never null once indexed, far away where not known
    last_day = models.DateField(null=True)
    edition = models.SmallIntegerField(default=0)  # of the code that wrote it; an older one is written again

    class Meta:
        indexes = [
            # What is new waits in a list and goes in together: a sheet's rows share most of their words, and one by one
            # takes three times as long. Every search reads that list, so it is kept short (KiB).
            GinIndex(fields=["document"], name="item_document", fastupdate=True, gin_pending_list_limit=256),
            models.Index(fields=["facets", "year_from", "year_to", "places"], name="item_facets"),
            models.Index(fields=["sort_key", "item"], name="item_by_title"),
            models.Index(fields=["first_day", "item"], name="item_by_first_day"),
            models.Index(fields=["last_day", "item"], name="item_by_last_day"),
        ]


class Term(models.Model):
    """A name that descriptions use: the controlled lists, which grow by what is described."""

    class Kind(models.TextChoices):
        AGENT = "agent", _("person or organisation")
        PLACE = "place", _("place")
        SUBJECT = "subject", _("subject")
        TYPE = "type", _("type")

    kind = models.CharField(max_length=16, choices=Kind)
    label = models.CharField(max_length=300)
    key = models.CharField(max_length=300)  # folded: how it is found
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["kind", "key"]
        constraints = [models.UniqueConstraint(fields=["kind", "label"], name="one_term_of_a_label")]
        indexes = [models.Index(fields=["kind", "key"], name="term_by_key")]

    def __str__(self) -> str:
        return self.label


class SavedSearch(models.Model):
    """A search kept under a name: its address is the search."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="searches")
    title = models.CharField(_("name"), max_length=120)
    query = models.CharField(max_length=2000)
    shared = models.BooleanField(_("shown to everybody who works here"), default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title", "id"]


class Sheet(models.Model):
    """A sheet somebody brought, while it is looked at and after it was taken in: what the descriptions came from."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=255)
    content = models.BinaryField()
    columns = models.JSONField(default=list)  # what each heading stands for, in order; "" is left out
    clears = models.BooleanField(default=False)  # an empty cell takes away what is there
    edit = models.OneToOneField(Edit, on_delete=models.PROTECT, null=True, related_name="sheet")
    created = models.DateTimeField(auto_now_add=True)


class ColumnMemory(models.Model):
    """What a heading stood for the last time this person brought a sheet."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    heading = models.CharField(max_length=120)
    column = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["by", "heading"], name="one_memory_of_a_heading")]
