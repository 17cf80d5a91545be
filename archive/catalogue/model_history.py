"""What happened: append-only PREMIS events, linked to objects and agents rather than told in prose."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.catalogue.model_description import Collection, Item
from archive.catalogue.model_pictures import Scan, StoredFile, Version
from archive.ids import new_id


class Agent(models.Model):
    """A person, an organisation, or a piece of software in one version. What it is called at the time is kept."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        ORGANISATION = "organisation", _("organisation")
        SOFTWARE = "software", _("software")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=200)
    version = models.CharField(max_length=100, blank=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="agent"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "name", "version"],
                condition=Q(user=None),
                name="one_agent_per_name_and_version",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class Event(models.Model):
    """One thing that happened. Types are PREMIS event types where PREMIS has one."""

    class Type(models.TextChoices):
        INGESTION = "ingestion", _("ingestion")
        MESSAGE_DIGEST = "message digest calculation", _("message digest calculation")
        DERIVATION = "derivation", _("derivation")
        FIXITY_CHECK = "fixity check", _("fixity check")
        METADATA_MODIFICATION = "metadata modification", _("metadata modification")
        POLICY_ASSIGNMENT = "policy assignment", _("policy assignment")
        ACCESS_CHANGE = "access change", _("access change")
        REVIEW = "review", _("review")
        REDERIVATION = "re-derivation", _("re-derivation")
        EXPORT = "export", _("export")
        DELETION = "deletion", _("deletion")

    class Outcome(models.TextChoices):
        SUCCESS = "success", _("success")
        FAILURE = "failure", _("failure")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    type = models.CharField(max_length=40, choices=Type)
    at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.SUCCESS)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["type", "at"])]

    def __str__(self) -> str:
        return f"{self.get_type_display()} ({self.get_outcome_display()})"


class EventObject(models.Model):
    """An object an event was about, and in which role (source, outcome, subject, recipe's reference)."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="objects_linked")
    role = models.CharField(max_length=24, default="subject")
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, null=True, related_name="+")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, related_name="event_links")
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, related_name="event_links")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="event_links")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(collection__isnull=False, item=None, scan=None, version=None, file=None)
                    | Q(collection=None, item__isnull=False, scan=None, version=None, file=None)
                    | Q(collection=None, item=None, scan__isnull=False, version=None, file=None)
                    | Q(collection=None, item=None, scan=None, version__isnull=False, file=None)
                    | Q(collection=None, item=None, scan=None, version=None, file__isnull=False)
                ),
                name="an_event_link_names_one_object",
            )
        ]


class EventAgent(models.Model):
    """Who or what took part in an event, and as what (executing program, authorizer, implementer)."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="agents_linked")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="event_links")
    role = models.CharField(max_length=24, default="implementer")
