"""An upload as the person who sent it follows it: received, checked, catalogued, ready, or refused with a reason."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.catalogue.models import Collection, Item, StoredFile
from archive.ids import new_id


class Upload(models.Model):
    """One file a person sent. The row outlives the file it speaks of: it is the receipt."""

    class State(models.TextChoices):
        UPLOADING = "uploading", _("uploading")
        CHECKING = "checking", _("checking")
        DUPLICATE = "duplicate", _("already here")  # waits for the person: use the existing one, or keep both
        CATALOGUED = "catalogued", _("catalogued")
        REFUSED = "refused", _("refused")

    class OnDuplicate(models.TextChoices):
        ASK = "ask", _("ask")
        SKIP = "skip", _("use the existing one")
        KEEP = "keep", _("keep both")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    filename = models.CharField(max_length=255)
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="uploads")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="uploads"
    )
    state = models.CharField(max_length=16, choices=State, default=State.UPLOADING)
    on_duplicate = models.CharField(max_length=8, choices=OnDuplicate, default=OnDuplicate.ASK)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(
        max_length=64, blank=True
    )  # as the sender announced it, checked when all has arrived
    into_item = models.ForeignKey(
        Item, on_delete=models.PROTECT, null=True, related_name="+"
    )  # one scan more of it
    key = models.UUIDField(null=True)  # the sender's own: asking twice to begin one begins one
    batch = models.UUIDField(null=True)  # what was dropped together
    expires = models.DateTimeField(null=True)  # of an unfinished one: when its bytes are given up
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, related_name="uploads")
    code = models.CharField(max_length=60, blank=True)
    sentence = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["by", "key"], name="one_upload_per_key")]
        indexes = [
            models.Index(fields=["by", "-id"]),
            models.Index(fields=["batch"], name="upload_batch", condition=models.Q(batch__isnull=False)),
            models.Index(
                fields=["expires"],
                name="upload_open",
                condition=models.Q(state__in=["uploading", "checking"]),
            ),
        ]
