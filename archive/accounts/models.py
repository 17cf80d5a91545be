"""Who people are, and which role they hold where. What a role may do is decided in `permissions`, nowhere else."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.ids import new_id


class User(AbstractUser):
    """A person who signs in. Our own model from the first migration, since it cannot be exchanged later."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    display_name = models.CharField(_("name shown to others"), max_length=120, blank=True)

    def __str__(self) -> str:
        return self.display_name or self.get_full_name() or self.username


class Role(models.TextChoices):
    """Roles in rising order; a higher one may do all that a lower one may."""

    READER = "reader", _("reader")
    ARCHIVIST = "archivist", _("archivist")
    CURATOR = "curator", _("curator")
    ADMIN = "admin", _("admin")


class Membership(models.Model):
    """One person's role in one collection and the tree below it, or, without a collection, in the whole archive."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    collection = models.ForeignKey(
        "catalogue.Collection", on_delete=models.CASCADE, related_name="memberships", null=True, blank=True
    )
    role = models.CharField(_("role"), max_length=16, choices=Role)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "collection"], nulls_distinct=False, name="one_role_per_person_and_collection"
            ),
            models.CheckConstraint(
                condition=~models.Q(role="admin") | models.Q(collection__isnull=True),
                name="an_admin_is_admin_of_the_whole_archive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.collection or 'the archive'}"
