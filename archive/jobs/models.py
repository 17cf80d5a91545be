"""One order by one person (Job), one source version in it (JobItem), one try (Attempt); and who works (Worker).

The rows are the truth and a Celery message only a nudge: everything a worker needs to carry on is here.
Transitions are decided in `states` (pure) and carried out by conditional updates in `services` and `claims`.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from archive.catalogue.models import Recipe, Version
from archive.ids import new_id


class Worker(models.Model):
    """A worker process and its heartbeat, so that anybody can see who works without asking the workers."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)  # host:pid
    kind = models.CharField(max_length=8)  # "gpu" or "io", as the queue it listens to
    device = models.CharField(max_length=100, blank=True)
    started = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField()
    stopped = models.DateTimeField(null=True)
    current_item = models.ForeignKey("JobItem", on_delete=models.SET_NULL, null=True, related_name="+")
    last_error = models.TextField(blank=True)
    memory = models.BigIntegerField(default=0)  # bytes this process holds
    networks = models.CharField(max_length=300, blank=True)  # what it keeps warm
    made = models.PositiveIntegerField(default=0)
    resting_until = models.DateTimeField(null=True)  # its circuit is open: it takes nothing until then …
    resting_why = models.TextField(blank=True)  # … because of this

    named = True  # whether what it is at may be told to who asks: `watch.workers`

    class Meta:
        ordering = ["-last_seen"]

    def __str__(self) -> str:
        return self.name


class Job(models.Model):
    """One order: a recipe for a frozen list of source versions."""

    class State(models.TextChoices):
        FREEZING = "freezing", _("preparing the list")
        SAMPLING = "sampling", _("trying a sample")
        WAITING = "waiting", _("waiting to start")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        FINISHED = "finished", _("finished")
        CANCELLED = "cancelled", _("cancelled")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    class Mode(models.TextChoices):
        ALL = "all", _("everything; what is made already is used again")
        MISSING = "missing", _("only what was not yet made with this recipe")
        FAILED = "failed", _("only what failed before with this recipe")
        AGAIN = "again", _("everything once more, as a new run")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=200)
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="jobs")
    preset = models.CharField(max_length=200, blank=True)  # what the person chose; never part of the recipe
    reference = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, related_name="+")
    scope = models.JSONField(default=dict)  # as it was ordered; the list itself is the items
    state = models.CharField(max_length=16, choices=State, default=State.FREEZING)
    run = models.PositiveIntegerField(default=1)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.ALL)
    expected = models.PositiveIntegerField(default=0)  # how many sources the scope had when it was ordered
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs")

    # on which terms: what is tried first, when it may run, when it stops by itself
    sample_size = models.PositiveIntegerField(default=0)
    auto_start = models.BooleanField(default=False)  # go on by itself if none of the sample failed
    estimate = models.JSONField(null=True)  # measured on the sample; kept, to be compared with the truth
    hours_from = models.TimeField(null=True)  # by the archive's clock; both or neither
    hours_to = models.TimeField(null=True)
    stop_after = models.PositiveIntegerField(null=True)  # failures
    stop_share = models.FloatField(null=True)  # of what has ended, from twenty on
    forgiven = models.PositiveIntegerField(default=0)  # failures that were there when it was last resumed
    with_sensitive = models.BooleanField(default=False)
    allow_cpu = models.BooleanField(default=True)  # a machine that lost its GPU may go on without
    standing = models.ForeignKey("StandingOrder", on_delete=models.SET_NULL, null=True, related_name="jobs")
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    served = models.DateTimeField(null=True)  # when a worker last took items of it
    since = models.DateTimeField(null=True)  # when it last began to run, was paused, or ended
    paused_until = models.DateTimeField(null=True)  # a pause that ends by itself
    told = models.DateTimeField(null=True)  # when its end had arrived on every channel
    state_note = models.CharField(max_length=300, blank=True)  # why it was paused or cancelled
    state_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "id"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(hours_from=None, hours_to=None)
                | Q(hours_from__isnull=False, hours_to__isnull=False),
                name="hours_have_two_ends",
            ),
            models.CheckConstraint(
                condition=Q(stop_share=None) | Q(stop_share__gt=0, stop_share__lte=1),
                name="a_share_lies_between_0_and_1",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class JobItem(models.Model):
    """One source version in a job. `result` is the derivative made (done) or found already made (reused)."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        REUSED = "reused", _("already there")
        EXCLUDED = "excluded", _("left out")

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items")
    source = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="job_items")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    not_before = models.DateTimeField(null=True)  # back-off after a transient failure
    tries = models.PositiveIntegerField(default=0)  # counted when it is begun, not when it is claimed
    sample = models.BooleanField(default=False)

    # the lease: who holds the item, proved by a token, until when by the database's clock
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    worker = models.ForeignKey(Worker, on_delete=models.SET_NULL, null=True, related_name="items")
    begun = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)  # the engine's, of the last try
    tiles_done = models.PositiveIntegerField(default=0)
    tiles_total = models.PositiveIntegerField(default=0)

    result = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, related_name="made_by_items")
    code = models.CharField(max_length=60, blank=True)  # why it failed or was left out: a stable code …
    sentence = models.TextField(blank=True)  # … and a sentence a person can act on
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["job", "position"]
        indexes = [
            models.Index(fields=["job", "state", "position"]),
            models.Index(fields=["job", "position"], name="items_in_order"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="running_by_lease"),
            models.Index(fields=["not_before", "id"], condition=Q(state="queued"), name="queued_by_time"),
            models.Index(fields=["job", "position"], condition=Q(sample=True), name="the_sample"),
            models.Index(fields=["job", "-ended"], condition=Q(state="done"), name="done_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job", "source"], name="a_source_once_in_a_job"),
            models.CheckConstraint(
                condition=Q(state="running", lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state="running") & Q(lease_token=None, lease_until=None)),
                name="running_means_leased",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "reused"]) | Q(result__isnull=False),
                name="done_means_a_result",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["failed", "excluded"]) | ~Q(code=""), name="a_failure_has_a_code"
            ),
        ]


class Attempt(models.Model):
    """One try at an item, kept for good: the whole story of a failure."""

    item = models.ForeignKey(JobItem, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    token = models.UUIDField()
    worker_name = models.CharField(max_length=200)
    device = models.CharField(max_length=100, blank=True)
    started = models.DateTimeField(auto_now_add=True)
    ended = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=16, blank=True
    )  # done, failed, cancelled, returned (not the picture's fault), lost
    code = models.CharField(max_length=60, blank=True)
    sentence = models.TextField(blank=True)
    seconds = models.FloatField(null=True)
    log = models.TextField(blank=True)  # the last lines written while it was tried

    class Meta:
        ordering = ["item", "number"]
        constraints = [models.UniqueConstraint(fields=["item", "number"], name="one_number_per_attempt")]


class Tally(models.Model):
    """How many items of a job went into a state (or left it): written by a trigger, folded by the sweeper.

    The sum is the exact count at any moment, and costs a page some rows instead of fifty thousand. Rows are only added,
    so that no two workers ever wait for one counter.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="tallies", db_constraint=False)
    state = models.CharField(max_length=16)
    delta = models.IntegerField()


class Telling(models.Model):
    """News of a job on its way by one channel: whether it arrived, how often it was tried, and when it is tried next.

    A row for each channel, so that a letter that cannot be delivered does not have the webhook posted again.
    """

    class Channel(models.TextChoices):
        WEBHOOK = "webhook", _("webhook")
        MAIL = "mail", _("mail")

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="tellings")
    channel = models.CharField(max_length=8, choices=Channel)
    # Since when the job is in the state that is told: the next state is other news.
    news = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    told = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)  # what the last try came to

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "channel", "news"], name="news_once_on_a_channel")
        ]


class StandingOrder(models.Model):
    """What is to be done with every new master of a collection, at certain times, as drafts."""

    collection = models.ForeignKey(
        "catalogue.Collection", on_delete=models.CASCADE, related_name="standing_orders"
    )
    preset = models.CharField(max_length=200)
    hour = models.PositiveSmallIntegerField(
        default=22
    )  # of the archive's clock, when it looks for new masters
    hours_from = models.TimeField(null=True)
    hours_to = models.TimeField(null=True)
    since = models.DateTimeField(null=True)  # only masters that came from then on; null: those before, too
    enabled = models.BooleanField(default=True)
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField(auto_now_add=True)
    looked = models.DateTimeField(null=True)  # when it last looked, whatever it found
    ended = models.DateTimeField(null=True)  # for good; the row stays, since jobs came of it
    note = models.CharField(max_length=300, blank=True)  # why it paused by itself

    class Meta:
        ordering = ["collection__title", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["collection", "preset"],
                condition=Q(ended=None),
                name="one_standing_order_of_a_kind",
            ),
            models.CheckConstraint(condition=Q(hour__lt=24), name="an_hour_of_the_day"),
        ]

    def __str__(self) -> str:
        return f"{self.preset}: {self.collection}"


class SavedRecipe(models.Model):
    """A resolved recipe under a name that people chose.

    What a name stands for never changes: a trigger sees to it. One that is taken off the list keeps its row, which is
    its history, and frees its name.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=80)
    note = models.CharField(max_length=300, blank=True)  # what it is good for
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="saved")
    reference = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, related_name="+")
    look = models.CharField(
        max_length=16, blank=True
    )  # as facets of style know it; empty where it is no style
    saved = models.DateTimeField(auto_now_add=True)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    removed = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = [Lower("name")]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), condition=Q(removed=None), name="one_saved_recipe_of_a_name"
            ),
            models.CheckConstraint(
                condition=Q(removed=None, removed_by=None)
                | Q(removed__isnull=False, removed_by__isnull=False),
                name="who_took_a_recipe_off_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name
