"""Exhibits: an ordered, captioned selection of pictures at an address of its own. Never a collection."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.catalogue.models import Version
from archive.ids import new_id


class Exhibit(models.Model):
    """What a curator tells with pictures. Its texts may change at any time; the pictures in it never do."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(_("address"), max_length=80, unique=True, allow_unicode=True)
    title = models.CharField(_("title"), max_length=200)
    subtitle = models.CharField(_("subtitle"), max_length=300, blank=True)
    introduction = models.TextField(_("introduction"), blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    published = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title


class Entry(models.Model):
    """One picture of an exhibit, with what is said of it."""

    class Layout(models.TextChoices):
        BESIDE = "beside", _("with its text beside it")
        WIDE = "wide", _("across the page")
        PAIR = "pair", _("original and derivative side by side")

    exhibit = models.ForeignKey(Exhibit, on_delete=models.CASCADE, related_name="entries")
    position = models.PositiveIntegerField()
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="exhibited")
    heading = models.CharField(_("heading"), max_length=200, blank=True)
    caption = models.TextField(_("caption"), blank=True)
    layout = models.CharField(_("layout"), max_length=16, choices=Layout, default=Layout.BESIDE)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["exhibit", "position"],
                name="one_place_per_entry",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]
